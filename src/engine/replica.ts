import {
  type Breaker,
  type Clock,
  createBreaker,
  createDeferred,
  isDescriptorShortage,
} from '../kernel/index.js'
import { isEngineError } from './engine-error.js'
import type { FileFacts } from './model-files.js'
import { type ProbeResult, probeServer } from './probe.js'
import { Semaphore } from './semaphore.js'
import { type CallOptions, EngineServer } from './server.js'

/** Parallel calls per server: prompt logprobs need memory that vLLM does not reserve. */
export const PARALLEL_CALLS = 4
/** First pause after repeated failures. */
const BREAKER_PAUSE_MS = 2_000
const LOAD_TIMEOUT_MS = 5_000
const PROBE_TIMEOUT_MS = 15_000
/** A server is probed again after this long, even if all its calls succeed. */
const PROBE_AGE_MS = 60_000
/** A server that responded within this time cannot have been restarted since. */
const RESTART_MS = 10_000
/** Refusals may be caused by the request (a miner's ids), so they trigger a probe at most this often. */
const REFUSAL_PAUSE_MS = 5_000

const LOAD_GAUGE = /^vllm:num_requests_(?:running|waiting)(?:\{[^}]*\})? ([0-9.eE+-]+)/gm

/** One server of an engine. It may be replaced by another one behind the same address, so it is probed again and again. */
export class Replica {
  readonly server: EngineServer
  readonly breaker: Breaker
  #probed: ProbeResult | undefined
  #probedAtMs = Number.NEGATIVE_INFINITY
  #respondedAtMs = Number.NEGATIVE_INFINITY
  #hasFailed = false
  #hasRefused = false
  #identifying: Promise<void> | undefined
  #quarantined = createDeferred<void>()
  #reportedLoad = 0
  #inFlight = 0
  readonly #permits = new Semaphore(PARALLEL_CALLS)

  constructor(
    readonly url: string,
    apiKey: string | undefined,
    private readonly clock: Clock,
  ) {
    this.server = new EngineServer(url, apiKey, clock)
    this.breaker = createBreaker({ clock, firstPauseMs: BREAKER_PAUSE_MS })
  }

  /** Undefined while the server is quarantined. */
  get probed(): ProbeResult | undefined {
    return this.#probed
  }

  get isUsable(): boolean {
    return this.#probed !== undefined && this.breaker.allows()
  }

  /** Admitted, and no call has failed since. */
  get isTrusted(): boolean {
    return this.#probed !== undefined && !this.#hasFailed
  }

  /** The server may have been replaced since it was probed. */
  get needsProbe(): boolean {
    const nowMs = this.clock.monotonic()
    const hasRefused = this.#hasRefused && nowMs - this.#probedAtMs > REFUSAL_PAUSE_MS
    const isSilent = nowMs - Math.max(this.#respondedAtMs, this.#probedAtMs) > RESTART_MS
    return this.#hasFailed || hasRefused || isSilent || nowMs - this.#probedAtMs > PROBE_AGE_MS
  }

  /** Calls of our own are under way. */
  get isBusy(): boolean {
    return this.#inFlight > 0
  }

  /** What the server reports plus what was sent since. */
  get load(): number {
    return this.#reportedLoad + this.#inFlight
  }

  async probe(model: string, files: FileFacts, { timeoutMs, signal }: CallOptions): Promise<ProbeResult> {
    const bounded = { timeoutMs: Math.min(PROBE_TIMEOUT_MS, timeoutMs), signal }
    return await probeServer(this.server, model, files, bounded)
  }

  /** Runs `work`, which probes and admits this server; callers that arrive meanwhile share the result. */
  identify(work: (replica: Replica) => Promise<void>): Promise<void> {
    this.#identifying ??= work(this).finally(() => {
      this.#identifying = undefined
    })
    return this.#identifying
  }

  /** From now on the server accepts calls. */
  admit(probed: ProbeResult): void {
    if (this.#probed === undefined) this.#quarantined = createDeferred<void>()
    this.#probed = probed
    this.#probedAtMs = this.clock.monotonic()
    this.#hasFailed = false
    this.#hasRefused = false
  }

  /** The server gets no calls until it is admitted again. */
  quarantine(): void {
    this.#probed = undefined
    this.#quarantined.resolve()
  }

  /** Resolves when the server is quarantined or closed. */
  get whenQuarantined(): Promise<void> {
    return this.#quarantined.promise
  }

  async refreshLoad(signal: AbortSignal): Promise<void> {
    const metrics = await this.server.getText('/metrics', { timeoutMs: LOAD_TIMEOUT_MS, signal })
    this.#reportedLoad = Math.max(0, parseLoad(metrics) - this.#inFlight)
  }

  /**
   * Runs one call. A refusal proves that the server is alive; any other error counts against it, except our own lack of file
   * descriptors.
   */
  async call<T>(signal: AbortSignal, work: (replica: Replica) => Promise<T>): Promise<T> {
    this.#inFlight++
    this.breaker.begin()
    try {
      const result = await this.#permits.run(signal, () => work(this))
      this.breaker.succeeded()
      this.#respondedAtMs = this.clock.monotonic()
      return result
    } catch (error) {
      if (signal.aborted || isDescriptorShortage(error)) this.breaker.abandoned()
      else if (isEngineError(error, 'ENGINE_REFUSED')) {
        this.breaker.succeeded()
        this.#hasRefused = true
      } else {
        this.breaker.failed()
        this.#hasFailed = true
        // The end of the pause alone does not bring it back: it must pass a probe first.
        if (!this.breaker.allows()) this.quarantine()
      }
      throw error
    } finally {
      this.#inFlight--
    }
  }

  async close(): Promise<void> {
    this.#quarantined.resolve()
    await this.server.close()
  }
}

/** Running and waiting requests of a vLLM server, from its /metrics; 0 when it does not report them. */
function parseLoad(metrics: string): number {
  let load = 0
  for (const [, value] of metrics.matchAll(LOAD_GAUGE)) {
    const count = Number(value)
    if (Number.isFinite(count)) load += count
  }
  return load
}
