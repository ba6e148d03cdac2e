import type { Clock } from '../../../kernel/index.js'
import { WINDOW } from '../../../scoring/index.js'
import type { RunningQuery } from './round.js'

/** Slower streams are worth nothing: an ordinary server sends fifty times as many tokens. Tokens per second. */
const LEAST_SPEED = 1

interface OpenStream {
  readonly query: RunningQuery
  /** Rounds the miner sat out because of it. */
  satOut: number
}

/** The queries without a verdict, most of whose answers still stream: what each is worth so far, and which are ended. */
export class OpenStreams {
  readonly #clock: Clock
  /** By hotkey and model: a miner has one at most. */
  readonly #streams = new Map<string, OpenStream>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get count(): number {
    return this.#streams.size
  }

  add(query: RunningQuery): void {
    const key = keyOf(query.miner.hotkey, query.model)
    this.#streams.set(key, { query, satOut: 0 })
    const remove = () => void this.#streams.delete(key)
    query.done.then(remove, remove)
  }

  isBusy(hotkey: string, model: string): boolean {
    return this.#streams.has(keyOf(hotkey, model))
  }

  /**
   * Counts a round that the miner sits out while its answer for this model streams.
   *
   * @returns the speed of that stream so far, in tokens per second; undefined when the answer is complete and only waits
   * for us.
   */
  sitOut(hotkey: string, model: string): number | undefined {
    const stream = this.#streams.get(keyOf(hotkey, model))
    if (!stream?.query.isStreaming()) return undefined
    stream.satOut++
    return this.#speedSoFar(stream.query)
  }

  /** Ends streams whose speed can no longer matter: it already is all the window has, and it is worth nothing. */
  stopWorthless(): void {
    for (const { query, satOut } of this.#streams.values()) {
      const speed = tokenRate(query)
      if (satOut < WINDOW || speed === undefined || speed >= LEAST_SPEED) continue
      const detail = `cut after ${satOut} rounds: ${speed.toFixed(2)} tokens/s so far`
      query.stop({ kind: 'worthless', detail })
    }
  }

  /**
   * Keeps this many streams and ends the others, the slowest first (T-V4). One that is worth something does not fail,
   * because how many others stream is not its miner's fault.
   */
  stopSlowest(keep: number): void {
    const streaming = this.#queries().filter((query) => query.isStreaming())
    const slowestFirst = streaming
      .map((query) => ({ query, speed: tokenRate(query) ?? 0 }))
      .sort((a, b) => a.speed - b.speed || a.query.startedAt - b.query.startedAt)
    for (const { query, speed } of slowestFirst.slice(0, Math.max(0, slowestFirst.length - keep)))
      query.stop({
        kind: speed < LEAST_SPEED ? 'worthless' : 'no-room',
        detail: `cut after the soft deadline of the round: more than ${keep} answers were outstanding`,
      })
  }

  /** Resolves when every query has its verdict. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#queries().map(({ done }) => done))
  }

  #queries(): RunningQuery[] {
    return [...this.#streams.values()].map(({ query }) => query)
  }

  /** Before the first token: the most it can still become. */
  #speedSoFar(query: RunningQuery): number {
    const waitedMs = Math.max(1, this.#clock.monotonic() - query.startedAt)
    return tokenRate(query) ?? (query.maxTokens / waitedMs) * 1000
  }
}

function keyOf(hotkey: string, model: string): string {
  return `${hotkey} ${model}`
}

/**
 * Tokens per second since the first token. The time before it is left out, so that an answer that streams evenly is never
 * valued below its final speed. Undefined before there is anything to measure.
 */
function tokenRate(query: RunningQuery): number | undefined {
  const { tokens, streamedMs } = query.progress() ?? { tokens: 0, streamedMs: 0 }
  return streamedMs > 0 ? (tokens / streamedMs) * 1000 : undefined
}
