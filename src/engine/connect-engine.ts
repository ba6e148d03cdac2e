import { type Clock, type Log, whenAborted } from '../kernel/index.js'
import { createCalls, GenerationSpeed } from './engine-calls.js'
import { EngineDiscovery } from './engine-discovery.js'
import type { HubSource } from './hub-files.js'
import { PARALLEL_CALLS, Replica } from './replica.js'
import { ReplicaPool } from './replica-pool.js'
import { viewServer } from './server-view.js'
import type { ReferenceEngine } from './types.js'

export interface EngineOptions extends HubSource {
  readonly model: string
  /** Base URLs, one per replica. */
  readonly urls: readonly string[]
  readonly apiKey?: string | undefined
  readonly clock: Clock
  readonly log: Log
  /** Deadline of a scoring call. Default: 120 s. */
  readonly scoringTimeoutMs?: number
}

export interface ConnectedEngine extends ReferenceEngine {
  /** Resolves once a replica is ready; rejects when the signal aborts. */
  whenReady(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

const SCORING_TIMEOUT_MS = 120_000

/** Returns at once. Discovers the model and its servers in the background, and retries until it succeeds. */
export function connectEngine(options: EngineOptions): ConnectedEngine {
  const { model, clock, scoringTimeoutMs = SCORING_TIMEOUT_MS } = options
  const closing = new AbortController()
  const replicas = options.urls.map((url) => new Replica(url, options.apiKey, clock))
  const discovery = new EngineDiscovery({ ...options, scoringTimeoutMs }, replicas, closing.signal)
  const pool = new ReplicaPool(model, replicas, clock, discovery.identify)
  const speed = new GenerationSpeed()
  const parts = {
    ...{ model, pool, discovery, scoringTimeoutMs, closing: closing.signal, clock, speed },
    parallelCalls: PARALLEL_CALLS * replicas.length,
  }
  const views = replicas.map((replica) => viewServer(parts, replica, options.apiKey))
  return {
    model,
    get generatedTokensPerSecond() {
      return speed.tokensPerSecond
    },
    get facts() {
      return discovery.facts
    },
    get unreadyReason() {
      return discovery.unreadyReason ?? pool.unavailableReason()
    },
    ...createCalls(parts),
    servers: () => views.filter(({ unreadyReason }) => unreadyReason === undefined),
    whenReady: async (signal) => {
      signal.throwIfAborted()
      await Promise.race([discovery.ready, whenAborted(signal).then(() => signal.throwIfAborted())])
    },
    close: async () => {
      closing.abort()
      await discovery.close()
      await Promise.all(replicas.map((replica) => replica.close()))
    },
  }
}
