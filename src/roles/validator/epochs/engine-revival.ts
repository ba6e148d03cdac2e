import type { Clock } from '../../../kernel/index.js'

/** The first pause until a missing engine is looked after again; an engine that died is back within a minute, not an epoch. */
const FIRST_PAUSE_MS = 30_000
/** A model that never gets an engine is tried this often at least. */
const LONGEST_PAUSE_MS = 600_000

interface Missing {
  dueAtMs: number
  pauseMs: number
}

/** Decides when to look after engines that are missing: soon at first, then less and less often, each model for itself. */
export class EngineRevival {
  readonly #missing = new Map<string, Missing>()

  constructor(private readonly clock: Clock) {}

  /**
   * @param models wanted models without a ready engine
   * @returns true when one of them is due
   */
  isDue(models: readonly string[]): boolean {
    const nowMs = this.clock.monotonic()
    for (const model of this.#missing.keys()) if (!models.includes(model)) this.#missing.delete(model)
    let isDue = false
    for (const model of models) {
      const known = this.#missing.get(model)
      if (!known) {
        this.#missing.set(model, { dueAtMs: nowMs + FIRST_PAUSE_MS, pauseMs: FIRST_PAUSE_MS })
      } else if (nowMs >= known.dueAtMs) {
        isDue = true
        known.pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * known.pauseMs)
        known.dueAtMs = nowMs + known.pauseMs
      }
    }
    return isDue
  }
}
