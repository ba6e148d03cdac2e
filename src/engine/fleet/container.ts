import { createHash } from 'node:crypto'

export interface ContainerOptions {
  /** Hotkey of the validator. Containers of other owners are never touched. */
  readonly owner: string
  readonly image: string
  readonly cacheDir: string
  readonly hubToken?: string | undefined
  readonly gpuMemoryUtilization: number
}

export const ENGINE_PORT = 8000

export const LABEL = {
  owner: 'io.targon.owner',
  model: 'io.targon.model',
  gpus: 'io.targon.gpus',
  specification: 'io.targon.specification',
} as const

/** Readable part of a container's name. 4.4.1 targon/docker.py used nothing else, so `a/b` and `a-b` collided. */
export function containerSlug(model: string): string {
  return model.replace(/[^\p{L}\p{N}]/gu, '-').toLowerCase()
}

export function containerName(owner: string, model: string): string {
  const slug = containerSlug(model)
    .replace(/[^a-z0-9-]/g, '-')
    .slice(0, 60)
  return `targon-${slug}-${digest(`${owner}\n${model}`).slice(0, 10)}`
}

/** Body of the request that creates a container: a stock vLLM server, reachable only from this host. */
export function containerSpecification(options: ContainerOptions, model: string, gpuIds: readonly number[]) {
  const specification = {
    Image: options.image,
    Cmd: serverArguments(options, model, gpuIds.length),
    Env: [
      ...(options.hubToken === undefined ? [] : [`HF_TOKEN=${options.hubToken}`]),
      'VLLM_NO_USAGE_STATS=1',
    ],
    ExposedPorts: { [`${ENGINE_PORT}/tcp`]: {} },
    HostConfig: {
      // An open port would let anyone test forged answers against the engine that verifies them.
      PortBindings: { [`${ENGINE_PORT}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '' }] },
      Binds: [`${options.cacheDir}:/root/.cache/huggingface`],
      IpcMode: 'host',
      AutoRemove: false,
      RestartPolicy: { Name: 'no' },
      DeviceRequests: [{ DeviceIDs: gpuIds.map(String), Capabilities: [['gpu']] }],
    },
  }
  return {
    ...specification,
    Labels: {
      [LABEL.owner]: options.owner,
      [LABEL.model]: model,
      [LABEL.gpus]: gpuIds.join(','),
      [LABEL.specification]: specificationDigest(options, model, gpuIds),
    },
  }
}

/** Changes whenever a container would be started differently. The hub token is not included. */
export function specificationDigest(
  options: ContainerOptions,
  model: string,
  gpuIds: readonly number[],
): string {
  const parts = [
    options.image,
    options.cacheDir,
    ...serverArguments(options, model, gpuIds.length),
    ...gpuIds,
  ]
  return digest(JSON.stringify(parts)).slice(0, 16)
}

function serverArguments(
  { image, gpuMemoryUtilization }: ContainerOptions,
  model: string,
  gpuCount: number,
): string[] {
  const common = [
    '--model',
    model,
    '--port',
    String(ENGINE_PORT),
    '--tensor-parallel-size',
    String(gpuCount),
    '--gpu-memory-utilization',
    String(gpuMemoryUtilization),
    '--max-logprobs',
    '32',
  ]
  // 0.6.x does not know the last two options and needs the server flag for token ids.
  return /:v?0\.6\b/.test(image)
    ? [...common, '--return-tokens-as-token-ids']
    : [...common, '--no-enable-prefix-caching', '--generation-config', 'vllm']
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
