import { setTimeout as sleep } from 'node:timers/promises'
import type { LeapingClock } from './leaping-clock.js'
import type { SimulatedMiners } from './simulated-miners.js'

/** Between rounds, on the clock of the validator. */
export const PAUSE_MS = 400_000
const STEP_MS = 1500
/** Beyond the soft deadline; what happens after it has deadlines of its own. */
const STEPS = 4
/** In which a round is planned or skipped. */
const PLANNING_MS = 5
/** A round that failed waits on the clock before the next one. */
const FAILED_REAL_MS = 5000
const FAILED_MS = 5000
const LONGEST_REAL_MS = 60_000

/** Sets the clock of a validator forward when its rounds wait for time, and waits for it when they work. */
export class RoundDriver {
  #phase = 'planning'
  #started = 0

  constructor(
    private readonly clock: LeapingClock,
    private readonly miners: Pick<SimulatedMiners, 'streaming'>,
  ) {}

  /** The rounds entered a phase. */
  enter(phase: string): void {
    if (phase === 'querying' && this.#phase !== 'querying') this.#started++
    this.#phase = phase
  }

  /** Plays the next round to its end. */
  async playRound(): Promise<void> {
    const before = this.#started
    while (this.#started === before) {
      // a round is skipped while it is not possible
      await this.clock.quiet()
      this.clock.leap(PAUSE_MS)
      await sleep(PLANNING_MS)
      await this.until('planning a round', () => this.#started > before || this.#phase === 'idle')
    }
    await this.until('a round', () => this.#phase === 'idle')
    await this.clock.quiet()
  }

  /** @throws Error when that takes more than a minute of real time */
  async until(what: string, isDone: () => boolean): Promise<void> {
    const startedAt = performance.now()
    let failedAt = startedAt + FAILED_REAL_MS
    let steps = 0
    while (!isDone()) {
      const now = performance.now()
      if (now - startedAt > LONGEST_REAL_MS)
        throw new Error(`${what} took more than a minute; the rounds are ${this.#phase}`)
      if (now > failedAt) {
        this.clock.leap(FAILED_MS)
        failedAt = now + FAILED_REAL_MS
      }
      // without a stream to wait for, only real work keeps the round from ending
      if (this.#phase === 'querying' && this.miners.streaming > 0 && steps < STEPS) {
        steps++
        await this.clock.quiet()
        this.clock.leap(STEP_MS)
      }
      await sleep(1)
    }
  }
}
