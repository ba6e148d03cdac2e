import { z } from 'zod'
import { numberValue, optionalText, textValue } from '../schemas.js'
import { settingIn } from '../setting.js'

const engine = settingIn('ENGINE', ['validator'])

/** Reference engines of a validator. */
export const engineSettings = {
  'engine.endpoints': engine({
    kind: 'list',
    schema: z
      .union([z.array(z.string()), z.string()])
      .transform((v) => (Array.isArray(v) ? v : v.split(/[;\s]+/)).filter((s) => s !== '')),
    default: [],
    roles: ['validator', 'query'],
    help: 'Reference engines as model=url[,url…], repeatable; any stock vLLM server works.',
  }),
  'engine.mode': engine({
    kind: 'text',
    schema: z.enum(['auto', 'endpoints', 'docker']),
    default: 'auto',
    options: ['auto', 'endpoints', 'docker'],
    help: 'How reference engines run: endpoints uses given addresses, docker starts containers on this host; auto picks docker if a socket and nvidia-smi are present and no endpoint is given.',
  }),
  'engine.docker-socket': engine({
    kind: 'path',
    schema: textValue,
    default: '/var/run/docker.sock',
    help: 'Socket of the Docker (or Podman) API for mode docker.',
  }),
  'engine.cache-dir': engine({
    kind: 'path',
    schema: textValue,
    default: '/var/targon/huggingface/cache',
    help: 'Folder for downloaded model weights, mounted into the containers of mode docker.',
  }),
  'engine.gpu-memory-utilization': engine({
    kind: 'number',
    schema: numberValue(0.1, 1),
    default: 0.9,
    variables: ['GPU_MEMORY_UTIL'],
    help: 'Fraction of GPU memory an engine of mode docker may use.',
  }),
  'engine.hub-token': engine({
    kind: 'text',
    schema: optionalText,
    default: undefined,
    variables: ['HF_TOKEN'],
    secret: true,
    help: 'Hugging Face token for gated models, passed to the engines of mode docker.',
  }),
  'engine.api-key': engine({
    kind: 'text',
    schema: optionalText,
    default: undefined,
    roles: ['validator', 'query'],
    secret: true,
    help: 'Bearer key of the reference engines.',
  }),
  'engine.hub-url': engine({
    kind: 'text',
    schema: textValue,
    default: 'https://huggingface.co',
    roles: ['validator', 'query'],
    help: 'Base URL for the config.json and generation_config.json of models.',
  }),
  'engine.model-dir': engine({
    kind: 'path',
    schema: optionalText,
    default: undefined,
    roles: ['validator', 'query'],
    help: 'Folder with <model>/config.json to use instead of the hub.',
  }),
  'engine.image-tag': engine({
    kind: 'text',
    schema: textValue,
    default: 'latest',
    variables: ['IMAGE_TAG'],
    help: 'Tag of the vllm/vllm-openai image for mode docker.',
  }),
} as const
