import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Clock, Log } from '../kernel/index.js'
import { type ConnectedEngine, connectEngine } from './connect-engine.js'
import type { EngineEndpoint } from './endpoints.js'
import {
  createDockerClient,
  createFleet,
  type Fleet,
  type OnEngineProgress,
  readGpus,
} from './fleet/index.js'
import type { ReferenceEngine } from './types.js'

export interface EngineSetOptions {
  /** `auto`: docker when a socket and nvidia-smi are there and no endpoint is given. */
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
    /** Weights downloaded by the engines. */
    readonly cacheDir: string
    readonly gpuMemoryUtilization: number
    /** Hotkey whose containers these are. */
    readonly owner: string
    readonly shuffle: (models: readonly string[]) => readonly string[]
    /** Folders in which nvidia-smi is looked for (PATH). */
    readonly searchPath: string
  }
  readonly onProgress?: OnEngineProgress | undefined
}

/** The reference engines of a validator: given by address, or a fleet of containers of its own. */
export interface EngineSet {
  readonly mode: 'endpoints' | 'docker'
  current(): readonly ReferenceEngine[]
  /** In docker mode makes the fleet what is wanted; faults are logged and what runs goes on. */
  refresh(wanted: readonly string[], signal: AbortSignal): Promise<void>
  /** Closes connections; containers go on running and are adopted at the next start. */
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

  const follow = async (endpoints: readonly EngineEndpoint[]) => {
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
  if (!fleet) void follow(options.endpoints)

  return {
    mode,
    current: () => [...engines.values()],
    refresh: async (wanted, signal) => {
      if (!fleet) return
      try {
        await follow((await fleet.reconcile(wanted, signal)).running)
      } catch (error) {
        signal.throwIfAborted()
        log.error({ event: 'fleet-refresh-failed', err: error }, 'could not refresh the engine fleet')
      }
    },
    close: async () => {
      await follow([])
    },
  }
}

function chooseMode({ mode, endpoints, docker }: EngineSetOptions): EngineSet['mode'] {
  if (mode !== 'auto') return mode
  const hasCards = docker.searchPath.split(delimiter).some((folder) => existsSync(join(folder, 'nvidia-smi')))
  return endpoints.length === 0 && hasCards && existsSync(docker.socketPath) ? 'docker' : 'endpoints'
}

function openFleet(options: EngineSetOptions): Fleet {
  const { docker, hubUrl, hubToken, stateDir, clock, log, onProgress } = options
  return createFleet({
    docker: createDockerClient(docker.socketPath),
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
