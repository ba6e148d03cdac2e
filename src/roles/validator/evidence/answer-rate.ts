import type { ValidatorSettings } from '../../../config/index.js'

const MONTH_MS = 30 * 86_400_000
/** A shorter time says too little about a month. */
const LEAST_MS = 3_600_000
/** Speed by which the time of an answer is guessed before any was measured, in tokens per second. */
const USUAL_SPEED = 100
const LEAST_ROUND_MS = 1000

/** Guess of how many answers a miner gives in a month, from the length of answers and the pause between rounds. */
export function assumedAnswersPerMonth(
  settings: Pick<ValidatorSettings, 'round.max-tokens' | 'round.pause'>,
): number {
  const { min, max } = settings['round.max-tokens']
  const answerMs = ((min + max) / 2 / USUAL_SPEED) * 1000
  return MONTH_MS / Math.max(LEAST_ROUND_MS, answerMs, settings['round.pause'])
}

/** How many answers the busiest miner gives in a month at the rate since the last measurement. */
export class AnswerRate {
  readonly #counts = new Map<string, number>()
  #since: number
  #perMonth: number

  /** @param nowMs of a monotonic clock */
  constructor(assumedPerMonth: number, nowMs: number) {
    this.#perMonth = assumedPerMonth
    this.#since = nowMs
  }

  get perMonth(): number {
    return this.#perMonth
  }

  /** Counts an answer. @returns whether the rate was measured anew, which happens once per hour */
  note(hotkey: string, nowMs: number): boolean {
    this.#counts.set(hotkey, (this.#counts.get(hotkey) ?? 0) + 1)
    const elapsed = nowMs - this.#since
    if (elapsed < LEAST_MS) return false
    let most = 0
    for (const count of this.#counts.values()) most = Math.max(most, count)
    this.#perMonth = (most / elapsed) * MONTH_MS
    this.#counts.clear()
    this.#since = nowMs
    return true
  }
}
