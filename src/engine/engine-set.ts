import { accessSync, constants, existsSync } from 'node:fs'
import type { Clock, Log } from '../kernel/index.js'
import { type ConnectedEngine, connectEngine } from './connect-engine.js'
import type { EngineEndpoint } from './endpoints.js'
import {
  type Absence,
  DockerClient,
  Fleet,
  findNvidiaSmi,
  type OnEngineProgress,
  type RefreshReason,
  type RegistryLogin,
  readGpus,
} from './fleet/index.js'
import type { ReferenceEngine } from './types.js'

export interface EngineSetOptions {
  /** `auto`: docker if no endpoint is configured, nvidia-smi exists and the Docker socket is accessible. */
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
    /** Full reference, with tag or digest. */
    readonly image: string
    readonly registryLogin?: RegistryLogin | undefined
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
  /** No image is being pulled and no engine is starting any more. */
  readonly onSettled?: (() => void) | undefined
}

/** The reference engines of a validator: configured endpoints, or a fleet of containers it manages. */
export interface EngineSet {
  readonly mode: 'endpoints' | 'docker'
  current(): readonly ReferenceEngine[]
  /** Why a model has no engine among the current ones. */
  explain(model: string): Absence
  /**
   * In docker mode makes the fleet serve `models`; each engine becomes current when it is healthy, which this does not wait
   * for. Errors are logged; running engines keep running.
   */
  refresh(models: readonly string[], why: RefreshReason, signal: AbortSignal): Promise<void>
  /** Closes the connections. Containers keep running and are adopted at the next start. */
  close(): Promise<void>
}

export function createEngineSet(options: EngineSetOptions): EngineSet {
  const { log, onSettled } = options
  const choice = chooseMode(options)
  log.info(
    { event: 'engines-configured', mode: choice.mode, models: options.endpoints.map(({ model }) => model) },
    'reference engines configured',
  )
  const connections = new Connections(options)
  if (choice.mode === 'endpoints') {
    connections.replace(options.endpoints)
    return {
      mode: 'endpoints',
      current: () => connections.current,
      explain: () => choice.absence,
      refresh: async () => {},
      close: () => connections.close(),
    }
  }
  const fleet = openFleet(options, (running) => connections.replace(running))
  return {
    mode: 'docker',
    current: () => connections.current,
    explain: (model) => fleet.explain(model),
    refresh: async (models, why, signal) => {
      try {
        await fleet.reconcile(models, why, signal)
      } catch (error) {
        signal.throwIfAborted()
        log.error({ event: 'fleet-refresh-failed', err: error }, 'could not refresh the engine fleet')
      } finally {
        void fleet.settled().then(onSettled)
      }
    },
    close: async () => {
      await fleet.close()
      await connections.close()
    },
  }
}

/** Connections to engines, by address; those that stay are kept open. */
class Connections {
  readonly #engines = new Map<string, ConnectedEngine>()
  readonly #closing = new Set<Promise<void>>()

  constructor(private readonly options: EngineSetOptions) {}

  get current(): readonly ReferenceEngine[] {
    return [...this.#engines.values()]
  }

  replace(endpoints: readonly EngineEndpoint[]): void {
    const wanted = new Map(endpoints.map((endpoint) => [JSON.stringify(endpoint), endpoint]))
    for (const [key, engine] of this.#engines) {
      if (wanted.has(key)) continue
      this.#engines.delete(key)
      const closed = engine.close().finally(() => this.#closing.delete(closed))
      this.#closing.add(closed)
    }
    for (const [key, { model, urls }] of wanted) {
      if (this.#engines.has(key)) continue
      const engine = connectEngine({ ...this.options, cacheDir: this.options.stateDir, model, urls })
      this.#engines.set(key, engine)
    }
  }

  async close(): Promise<void> {
    this.replace([])
    await Promise.all(this.#closing)
  }
}

type ModeChoice =
  | { readonly mode: 'docker' }
  /** With why a model has no engine. */
  | { readonly mode: 'endpoints'; readonly absence: Absence }

const NO_ENDPOINT: Absence = {
  reason: 'no engine is configured for it',
  next: 'Set --engine.endpoints model=url, or use --engine.mode docker on a host with GPUs and Docker.',
}

function chooseMode({ mode, endpoints, docker, log }: EngineSetOptions): ModeChoice {
  if (mode === 'docker') return { mode }
  const hasChoice = mode === 'auto' && endpoints.length === 0 && existsSync(docker.socketPath)
  if (!hasChoice || findNvidiaSmi(docker.searchPath) === undefined)
    return { mode: 'endpoints', absence: NO_ENDPOINT }
  if (isAccessible(docker.socketPath)) return { mode: 'docker' }
  const absence = {
    reason: `no engine is configured, and this user may not access the Docker socket ${docker.socketPath}`,
    next: 'Let this user access the Docker socket (usually by adding it to the group docker), or set --engine.endpoints model=url.',
  }
  log.warn(
    { event: 'docker-socket-inaccessible', socket: docker.socketPath, next: absence.next },
    'this host has GPUs and Docker, but this user may not access the Docker socket',
  )
  return { mode: 'endpoints', absence }
}

function isAccessible(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

function openFleet(
  options: EngineSetOptions,
  onRunning: (engines: readonly EngineEndpoint[]) => void,
): Fleet {
  const { docker, hubUrl, hubToken, stateDir, clock, log, onProgress } = options
  const fleet: Fleet = new Fleet({
    docker: new DockerClient(docker.socketPath),
    readGpus: (signal) => readGpus(docker.searchPath, signal),
    owner: docker.owner,
    image: docker.image,
    registryLogin: docker.registryLogin,
    cacheDir: docker.cacheDir,
    gpuMemoryUtilization: docker.gpuMemoryUtilization,
    shuffle: docker.shuffle,
    hubUrl,
    hubToken,
    stateDir,
    clock,
    log,
    onProgress,
    onChange: () => onRunning(fleet.running),
  })
  return fleet
}
