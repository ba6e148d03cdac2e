import { KeyLane, type LaneContext } from './key-lane.js'
import type { Refusal, Reservation } from './types.js'

/** What keys have reserved and used; one lane per key that has something to write. */
export class Ledger {
  readonly #lanes = new Map<string, KeyLane>()

  constructor(private readonly context: LaneContext) {}

  /** @throws TargonError ACCOUNTS_UNAVAILABLE; the signal's reason */
  reserve(keyId: string, model: string, tokens: number, signal: AbortSignal): Promise<Reservation | Refusal> {
    return this.#lane(keyId).reserve(model, tokens, signal)
  }

  /** Debits expired reservations of these keys. */
  sweep(keyIds: readonly string[]): void {
    for (const id of keyIds) this.#lane(id).sweep()
  }

  async finish(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.finish()))
  }

  #lane(keyId: string): KeyLane {
    const known = this.#lanes.get(keyId)
    if (known) return known
    const lane = new KeyLane(keyId, this.context, () => this.#lanes.delete(keyId))
    this.#lanes.set(keyId, lane)
    return lane
  }
}
