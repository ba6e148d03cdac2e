import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Clock, Log } from '../kernel/index.js'
import { type ConnectedEngine, connectEngine } from './connect-engine.js'
import type { EngineEndpoint } from './endpoints.js'
import { DockerClient, Fleet, type OnEngineProgress, readGpus } from './fleet/index.js'
import type { ReferenceEngine } from './types.js'

export interface EngineSetOptions {
  /** `auto`: docker if no endpoint is configured and the Docker socket and nvidia-smi exist. */
  readonly mode: 'auto' | 'endpoints' | 'docker'
  readonly endpoints: readonly EngineEndpoint[]
  readonly apiKey?: string | undefined
  readonly hubUrl: string
  readonly hubToken?: string | undefined
  readonly modelDir?: string | undefined
  readonly stateDir: string
  readonly clock: Clock
  readonly log: Log
  readonly docker: {
    readonly socketPath: string
    readonly image: string
    /** Folder for the weights the engines download. */
    readonly cacheDir: string
    readonly gpuMemoryUtilization: number
    /** Hotkey that owns the containers. */
    readonly owner: string
    readonly shuffle: (models: readonly string[]) => readonly string[]
    /** Folders to search for nvidia-smi (PATH). */
    readonly searchPath: string
  }
  readonly onProgress?: OnEngineProgress | undefined
}

/** The reference engines of a validator: configured endpoints, or a fleet of containers it manages. */
export interface EngineSet {
  readonly mode: 'endpoints' | 'docker'
  current(): readonly ReferenceEngine[]
  /** In docker mode makes the fleet serve `models`. Errors are logged; running engines keep running. */
  refresh(models: readonly string[], signal: AbortSignal): Promise<void>
  /** Closes the connections. Containers keep running and are adopted at the next start. */
  close(): Promise<void>
}

export function createEngineSet(options: EngineSetOptions): EngineSet {
  const { log } = options
  const mode = chooseMode(options)
  log.info(
    { event: 'engines-configured', mode, models: options.endpoints.map(({ model }) => model) },
    'reference engines configured',
  )
  const engines = new Map<string, ConnectedEngine>()

  const connectTo = async (endpoints: readonly EngineEndpoint[]) => {
    const wanted = new Map(endpoints.map((endpoint) => [JSON.stringify(endpoint), endpoint]))
    for (const [key, engine] of engines) {
      if (wanted.has(key)) continue
      engines.delete(key)
      await engine.close()
    }
    for (const [key, { model, urls }] of wanted) {
      if (!engines.has(key))
        engines.set(key, connectEngine({ ...options, cacheDir: options.stateDir, model, urls }))
    }
  }

  const fleet = mode === 'docker' ? openFleet(options) : undefined
  if (!fleet) void connectTo(options.endpoints)

  return {
    mode,
    current: () => [...engines.values()],
    refresh: async (models, signal) => {
      if (!fleet) return
      try {
        await connectTo((await fleet.reconcile(models, signal)).running)
      } catch (error) {
        signal.throwIfAborted()
        log.error({ event: 'fleet-refresh-failed', err: error }, 'could not refresh the engine fleet')
      }
    },
    close: async () => {
      await connectTo([])
    },
  }
}

function chooseMode({ mode, endpoints, docker }: EngineSetOptions): EngineSet['mode'] {
  if (mode !== 'auto') return mode
  const hasNvidiaSmi = docker.searchPath
    .split(delimiter)
    .some((folder) => existsSync(join(folder, 'nvidia-smi')))
  return endpoints.length === 0 && hasNvidiaSmi && existsSync(docker.socketPath) ? 'docker' : 'endpoints'
}

function openFleet(options: EngineSetOptions): Fleet {
  const { docker, hubUrl, hubToken, stateDir, clock, log, onProgress } = options
  return new Fleet({
    docker: new DockerClient(docker.socketPath),
    readGpus,
    owner: docker.owner,
    image: docker.image,
    cacheDir: docker.cacheDir,
    gpuMemoryUtilization: docker.gpuMemoryUtilization,
    shuffle: docker.shuffle,
    hubUrl,
    hubToken,
    stateDir,
    clock,
    log,
    onProgress,
  })
}
