import { z } from 'zod'
import { keyValue, numberValue, optionalText, textValue } from '../schemas.js'
import { settingIn } from '../setting.js'

const engine = settingIn('ENGINE', ['validator'])

/** Docker's grammar of references (distribution/reference), without tag: registry, path, digest. */
const IMAGE_NAME =
  /^(?:[a-z\d](?:[a-z\d.-]*[a-z\d])?(?::\d{1,5})?\/)?[a-z\d]+(?:(?:\.|_{1,2}|-+)[a-z\d]+)*(?:\/[a-z\d]+(?:(?:\.|_{1,2}|-+)[a-z\d]+)*)*(?:@sha256:[\da-f]{64})?$/

/** Reference engines of a validator. */
export const engineSettings = {
  'engine.endpoints': engine({
    kind: 'list',
    schema: z
      .union([z.array(z.string()), z.string()])
      .transform((v) => (Array.isArray(v) ? v : v.split(/[;\s]+/)).filter((s) => s !== '')),
    default: [],
    roles: ['validator', 'verify', 'query'],
    help: 'Reference engines as model=url[,url…], repeatable; any stock vLLM server works.',
    helpOf: {
      verify:
        'Own engine for the model of the bundle, as a URL or model=url, repeatable: computes the reference again.',
    },
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
    schema: keyValue.optional(),
    default: undefined,
    variables: ['HF_TOKEN'],
    secret: true,
    roles: ['validator', 'verify', 'miner check'],
    help: 'Hugging Face token for gated models, passed to the engines of mode docker.',
  }),
  'engine.api-key': engine({
    kind: 'text',
    schema: keyValue.optional(),
    default: undefined,
    roles: ['validator', 'verify', 'query', 'miner check'],
    secret: true,
    help: 'Bearer key of the reference engines.',
  }),
  'engine.hub-url': engine({
    kind: 'text',
    schema: textValue,
    default: 'https://huggingface.co',
    roles: ['validator', 'verify', 'query', 'miner check'],
    help: 'Base URL for the config.json and generation_config.json of models.',
  }),
  'engine.model-dir': engine({
    kind: 'path',
    schema: optionalText,
    default: undefined,
    roles: ['validator', 'verify', 'query', 'miner check'],
    help: 'Folder with <model>/config.json to use instead of Hugging Face.',
  }),
  'engine.image': engine({
    kind: 'text',
    schema: z
      .string()
      .regex(IMAGE_NAME, 'must be a name such as vllm/vllm-openai or mirror:5000/name, without tag'),
    default: 'vllm/vllm-openai',
    help: 'Image of the engines of mode docker, for example on a mirror or a private registry; with @sha256:… the tag is not used.',
  }),
  'engine.image-tag': engine({
    kind: 'text',
    schema: z
      .string()
      .regex(/^\w[\w.-]{0,127}$/, 'must be a tag such as v0.10.0 (letters, digits, and . - _)'),
    default: 'latest',
    variables: ['IMAGE_TAG'],
    help: 'Tag of the image for mode docker.',
  }),
  'engine.registry-user': engine({
    kind: 'text',
    schema: optionalText,
    default: undefined,
    help: 'User name at the registry of the image, for mode docker; needs engine.registry-password.',
  }),
  'engine.registry-password': engine({
    kind: 'text',
    schema: optionalText,
    default: undefined,
    secret: true,
    help: 'Password or token at the registry of the image; use the environment variable or the config file.',
  }),
} as const
