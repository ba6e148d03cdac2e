import { type Breaker, type Clock, createBreaker, createDeferred } from '../kernel/index.js'
import { isEngineError } from './engine-error.js'
import { parseLoad } from './load.js'
import type { FileFacts } from './model-files.js'
import { type ProbeResult, probeServer } from './probe.js'
import { Semaphore } from './semaphore.js'
import { type CallOptions, EngineServer } from './server.js'

/** Scoring calls at once per server: prompt logprobs take memory vLLM does not plan for. */
const CALLS_AT_ONCE = 4
/** A server that failed again and again is left alone for this long at first. */
const BREAKER_PAUSE_MS = 2_000
const LOAD_TIMEOUT_MS = 1_000
const PROBE_TIMEOUT_MS = 15_000
/** However well it answers, what is known of a server is asked again after this long. */
const KNOWLEDGE_AGE_MS = 60_000
/** Nobody who answers this often can have been started anew in between. */
const RESTART_MS = 10_000
/** Refusals may be about the request (a miner's ids): they ask for no more probes than this. */
const REFUSAL_PAUSE_MS = 5_000

/** One server of an engine, with what is known of it: it may be replaced by another behind the same address. */
export class Replica {
  readonly server: EngineServer
  readonly breaker: Breaker
  #probed: ProbeResult | undefined
  #probedAtMs = Number.NEGATIVE_INFINITY
  #answeredAtMs = Number.NEGATIVE_INFINITY
  #hasFailed = false
  #hasRefused = false
  #learning: Promise<void> | undefined
  #apart = createDeferred<void>()
  #reportedLoad = 0
  #inFlight = 0
  readonly #slots = new Semaphore(CALLS_AT_ONCE)

  constructor(
    readonly url: string,
    apiKey: string | undefined,
    private readonly clock: Clock,
  ) {
    this.server = new EngineServer(url, apiKey, clock)
    this.breaker = createBreaker({ clock, firstPauseMs: BREAKER_PAUSE_MS })
  }

  get probed(): ProbeResult | undefined {
    return this.#probed
  }

  get usable(): boolean {
    return this.#probed !== undefined && this.breaker.allows()
  }

  /** Admitted, and nothing went wrong since. */
  get isTrusted(): boolean {
    return this.#probed !== undefined && !this.#hasFailed
  }

  /** It may not be the server any more that was probed, and is to be asked again before its next call. */
  get isDoubtful(): boolean {
    const nowMs = this.clock.monotonic()
    const hasRefused = this.#hasRefused && nowMs - this.#probedAtMs > REFUSAL_PAUSE_MS
    const isSilent = nowMs - Math.max(this.#answeredAtMs, this.#probedAtMs) > RESTART_MS
    return this.#hasFailed || hasRefused || isSilent || nowMs - this.#probedAtMs > KNOWLEDGE_AGE_MS
  }

  /** What the server reports plus what we sent since. */
  get load(): number {
    return this.#reportedLoad + this.#inFlight
  }

  /** Asks what it is; it takes no calls before it is admitted. */
  async probe(model: string, files: FileFacts, { timeoutMs, signal }: CallOptions): Promise<ProbeResult> {
    const bounded = { timeoutMs: Math.min(PROBE_TIMEOUT_MS, timeoutMs), signal }
    return await probeServer(this.server, model, files, bounded)
  }

  /** Learns what it is; whoever asks while that is under way gets the same answer. */
  learn(work: (replica: Replica) => Promise<void>): Promise<void> {
    this.#learning ??= work(this).finally(() => {
      this.#learning = undefined
    })
    return this.#learning
  }

  /** From now on it takes calls. */
  admit(probed: ProbeResult): void {
    if (this.#probed === undefined) this.#apart = createDeferred<void>()
    this.#probed = probed
    this.#probedAtMs = this.clock.monotonic()
    this.#hasFailed = false
    this.#hasRefused = false
  }

  /** It takes no calls until it is admitted again. */
  quarantine(): void {
    this.#probed = undefined
    this.#apart.resolve()
  }

  /** Resolves when it is kept apart, or closed. */
  get whenApart(): Promise<void> {
    return this.#apart.promise
  }

  async refreshLoad(signal: AbortSignal): Promise<void> {
    const metrics = await this.server.getText('/metrics', { timeoutMs: LOAD_TIMEOUT_MS, signal })
    this.#reportedLoad = Math.max(0, (parseLoad(metrics) ?? 0) - this.#inFlight)
  }

  /** Runs one call; a refusal says the server lives, a fault counts against it. */
  async call<T>(signal: AbortSignal, work: (replica: Replica) => Promise<T>): Promise<T> {
    this.#inFlight++
    this.breaker.begin()
    try {
      const result = await this.#slots.run(signal, () => work(this))
      this.breaker.succeeded()
      this.#answeredAtMs = this.clock.monotonic()
      return result
    } catch (error) {
      if (signal.aborted) this.breaker.abandoned()
      else if (isEngineError(error, 'ENGINE_REFUSED')) {
        this.breaker.succeeded()
        this.#hasRefused = true
      } else {
        this.breaker.failed()
        this.#hasFailed = true
        // Out of the way until it answers a probe again, not only until somebody tries.
        if (!this.breaker.allows()) this.quarantine()
      }
      throw error
    } finally {
      this.#inFlight--
    }
  }

  async close(): Promise<void> {
    this.#apart.resolve()
    await this.server.close()
  }
}
