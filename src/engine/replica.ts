import type { Clock } from '../clock.js'
import { Breaker } from './breaker.js'
import { isEngineError } from './engine-error.js'
import { parseLoad } from './load.js'
import type { FileFacts } from './model-files.js'
import { type ProbeResult, probeServer } from './probe.js'
import { EngineServer } from './server.js'
import { Slots } from './slots.js'

/** Scoring calls at once per server: prompt logprobs take memory vLLM does not plan for. */
const CALLS_AT_ONCE = 4
const LOAD_TIMEOUT_MS = 1_000
const PROBE_TIMEOUT_MS = 15_000

/** One server of an engine, with what is known of it. */
export class Replica {
  readonly server: EngineServer
  readonly breaker: Breaker
  #probed: ProbeResult | undefined
  #reportedLoad = 0
  #inFlight = 0
  readonly #slots = new Slots(CALLS_AT_ONCE)

  constructor(
    readonly url: string,
    apiKey: string | undefined,
    clock: Clock,
  ) {
    this.server = new EngineServer(url, apiKey, clock)
    this.breaker = new Breaker(clock)
  }

  get probed(): ProbeResult | undefined {
    return this.#probed
  }

  get usable(): boolean {
    return this.#probed !== undefined && this.breaker.closed
  }

  /** What the server reports plus what we sent since. */
  get load(): number {
    return this.#reportedLoad + this.#inFlight
  }

  /** Asks what it is; it takes no calls before it is admitted. */
  async probe(model: string, files: FileFacts, signal: AbortSignal): Promise<ProbeResult> {
    return await probeServer(this.server, model, files, { timeoutMs: PROBE_TIMEOUT_MS, signal })
  }

  /** From now on it takes calls. */
  admit(probed: ProbeResult): void {
    this.#probed = probed
  }

  async refreshLoad(signal: AbortSignal): Promise<void> {
    const metrics = await this.server.getText('/metrics', { timeoutMs: LOAD_TIMEOUT_MS, signal })
    this.#reportedLoad = Math.max(0, (parseLoad(metrics) ?? 0) - this.#inFlight)
  }

  /** Runs one call; a refusal says the server lives, a fault counts against it. */
  async call<T>(signal: AbortSignal, work: (replica: Replica) => Promise<T>): Promise<T> {
    this.#inFlight++
    this.breaker.start()
    try {
      const result = await this.#slots.run(signal, () => work(this))
      this.breaker.succeed()
      return result
    } catch (error) {
      if (signal.aborted) this.breaker.release()
      else if (isEngineError(error, 'ENGINE_REFUSED')) this.breaker.succeed()
      else this.breaker.fail()
      throw error
    } finally {
      this.#inFlight--
    }
  }

  async close(): Promise<void> {
    await this.server.close()
  }
}
