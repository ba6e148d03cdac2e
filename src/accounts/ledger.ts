import { KeyLane, type LaneContext } from './key-lane.js'
import type { Refusal, Reservation, Use } from './types.js'

/** What keys have reserved and used; one lane per key that has something to write. */
export class Ledger {
  readonly #lanes = new Map<string, KeyLane>()

  constructor(private readonly context: LaneContext) {}

  /** @throws TargonError ACCOUNTS_UNAVAILABLE; the signal's reason */
  async reserve(
    keyId: string,
    model: string,
    tokens: number,
    signal: AbortSignal,
  ): Promise<Reservation | Refusal> {
    const id = await this.#lane(keyId).reserve(storable(model), wholeTokens(tokens), signal)
    if (typeof id !== 'string') return id
    let settled: Promise<void> | undefined
    return {
      kind: 'reserved',
      settle: (use) => {
        settled ??= this.#lane(keyId).settle(id, wholeUse(use))
        return settled
      },
    }
  }

  /** Debits expired reservations of these keys. */
  sweep(keyIds: readonly string[]): void {
    for (const id of keyIds) this.#lane(id).sweep()
  }

  /** Writes what waits, or gives up when the signal of the context aborts. */
  async finish(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.finish()))
  }

  #lane(keyId: string): KeyLane {
    const known = this.#lanes.get(keyId)
    if (known) return known
    const lane = new KeyLane(
      keyId,
      this.context,
      (id) => void this.#lane(keyId).settle(id, undefined),
      () => this.#lanes.delete(keyId),
    )
    this.#lanes.set(keyId, lane)
    return lane
  }
}

function wholeUse({ promptTokens, completionTokens }: Use): Use {
  return { promptTokens: wholeTokens(promptTokens), completionTokens: wholeTokens(completionTokens) }
}

const MAX_TOKENS = 1e12
const MAX_MODEL_CHARS = 256

/** A miner may state any number; the database takes whole ones, and a row it rejects would be tried again for ever. */
function wholeTokens(stated: number): number {
  return Number.isNaN(stated) ? 0 : Math.min(MAX_TOKENS, Math.max(0, Math.ceil(stated)))
}

/** PostgreSQL rejects NUL in text. */
function storable(model: string): string {
  return model.replaceAll('\0', '').slice(0, MAX_MODEL_CHARS)
}
