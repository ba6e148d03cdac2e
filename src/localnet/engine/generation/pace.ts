import type { Clock } from '../../../kernel/index.js'

export interface PaceSettings {
  /** Undefined: as fast as the machine allows. */
  readonly tokensPerSecond: number | undefined
  readonly timeToFirstTokenMs: number
}

/**
 * When each token of one answer is due. The schedule is absolute, counted from the start of the answer: a late timer
 * does not delay later tokens, so callers measure the speed that was set.
 */
export class Pace {
  readonly #clock: Clock
  readonly #settings: PaceSettings
  readonly #startedAtMs: number

  constructor(clock: Clock, settings: PaceSettings) {
    this.#clock = clock
    this.#settings = settings
    this.#startedAtMs = clock.monotonic()
  }

  /** Milliseconds after the start at which token `index` (from 0) is due. */
  dueMs(index: number): number {
    const { tokensPerSecond, timeToFirstTokenMs } = this.#settings
    return timeToFirstTokenMs + (tokensPerSecond === undefined ? 0 : (index * 1000) / tokensPerSecond)
  }

  /** True when token `index` could have been sent before now. */
  isDue(index: number): boolean {
    return this.#clock.monotonic() >= this.#startedAtMs + this.dueMs(index)
  }

  /** Resolves when token `index` is due, or at once if it is late. @throws the abort reason */
  async untilDue(index: number, signal: AbortSignal): Promise<void> {
    await this.untilMs(this.dueMs(index), signal)
  }

  /** Resolves `elapsedMs` after the start. @throws the abort reason */
  async untilMs(elapsedMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const waitMs = this.#startedAtMs + elapsedMs - this.#clock.monotonic()
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal)
  }
}
