import { z } from 'zod'
import { numberValue, optionalText, textValue } from '../schemas.js'
import { type Role, setting } from '../setting.js'

const roles: readonly Role[] = ['validator']

/** The validator's own model servers. */
export const engineSettings = {
  'engine.endpoints': setting({
    kind: 'list',
    schema: z
      .union([z.array(z.string()), z.string()])
      .transform((v) => (Array.isArray(v) ? v : v.split(/[;\s]+/)).filter((s) => s !== '')),
    default: [],
    group: 'ENGINE',
    roles: ['validator', 'query'],
    help: 'Reference engines: model=url[,url…], repeated; any stock vLLM server.',
  }),
  'engine.mode': setting({
    kind: 'text',
    schema: z.enum(['auto', 'endpoints', 'docker']),
    default: 'auto',
    options: ['auto', 'endpoints', 'docker'],
    group: 'ENGINE',
    roles,
    help: 'Reference engines by address, or as containers on this host; auto takes docker when a socket and nvidia-smi are there and no endpoint is given.',
  }),
  'engine.docker-socket': setting({
    kind: 'path',
    schema: textValue,
    default: '/var/run/docker.sock',
    group: 'ENGINE',
    roles,
    help: 'Socket of the Docker Engine API (or Podman’s) in mode docker.',
  }),
  'engine.cache-dir': setting({
    kind: 'path',
    schema: textValue,
    default: '/var/targon/huggingface/cache',
    group: 'ENGINE',
    roles,
    help: 'Folder of downloaded weights, mounted into the containers of mode docker.',
  }),
  'engine.gpu-memory-utilization': setting({
    kind: 'number',
    schema: numberValue(0.1, 1),
    default: 0.9,
    group: 'ENGINE',
    roles,
    variables: ['GPU_MEMORY_UTIL'],
    help: 'Share of a card’s memory an engine of mode docker may use.',
  }),
  'engine.hub-token': setting({
    kind: 'text',
    schema: optionalText,
    default: undefined,
    group: 'ENGINE',
    roles,
    variables: ['HF_TOKEN'],
    secret: true,
    help: 'Token for gated models of the hub, passed on to the engines of mode docker.',
  }),
  'engine.api-key': setting({
    kind: 'text',
    schema: optionalText,
    default: undefined,
    group: 'ENGINE',
    roles: ['validator', 'query'],
    secret: true,
    help: 'Bearer key of the reference engines.',
  }),
  'engine.hub-url': setting({
    kind: 'text',
    schema: textValue,
    default: 'https://huggingface.co',
    group: 'ENGINE',
    roles: ['validator', 'query'],
    help: 'Where config.json and generation_config.json of a model are read.',
  }),
  'engine.model-dir': setting({
    kind: 'path',
    schema: optionalText,
    default: undefined,
    group: 'ENGINE',
    roles: ['validator', 'query'],
    help: 'Folder with <model>/config.json instead of the hub.',
  }),
  'engine.image-tag': setting({
    kind: 'text',
    schema: textValue,
    default: 'latest',
    group: 'ENGINE',
    roles,
    variables: ['IMAGE_TAG'],
    help: 'Tag of the image vllm/vllm-openai that mode docker starts.',
  }),
} as const
