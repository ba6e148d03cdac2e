import type { Clock } from '../clock.js'

export interface BreakerOptions {
  readonly failuresToOpen: number
  readonly firstPauseMs: number
  readonly longestPauseMs: number
}

const DEFAULTS: BreakerOptions = { failuresToOpen: 3, firstPauseMs: 2_000, longestPauseMs: 30_000 }

/**
 * Keeps calls away from a server that fails again and again. After a pause that doubles up to a bound one call is let
 * through; it closes the breaker or opens it anew.
 */
export class Breaker {
  #failures = 0
  #openUntil = Number.NEGATIVE_INFINITY
  #pauseMs: number
  #trial = false

  constructor(
    private readonly clock: Clock,
    private readonly options: BreakerOptions = DEFAULTS,
  ) {
    this.#pauseMs = options.firstPauseMs
  }

  /** True when a call may be made now; the first one after a pause is the trial. */
  get closed(): boolean {
    if (this.#failures < this.options.failuresToOpen) return true
    return !this.#trial && this.clock.monotonic() >= this.#openUntil
  }

  start(): void {
    if (this.#failures >= this.options.failuresToOpen) this.#trial = true
  }

  succeed(): void {
    this.#failures = 0
    this.#trial = false
    this.#pauseMs = this.options.firstPauseMs
  }

  /** A call that told nothing about the server, such as one that was aborted. */
  release(): void {
    this.#trial = false
  }

  fail(): void {
    this.#trial = false
    this.#failures++
    if (this.#failures < this.options.failuresToOpen) return
    this.#openUntil = this.clock.monotonic() + this.#pauseMs
    this.#pauseMs = Math.min(this.options.longestPauseMs, this.#pauseMs * 2)
  }
}
