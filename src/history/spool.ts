import type { EvidenceRecord, ResultRow, WeightsRow } from './database.js'

/** Rows kept in memory while the database is unavailable; beyond that the oldest are dropped. */
const MAX_SPOOLED = 20_000

export type SpooledRow =
  | { readonly table: 'results'; readonly row: ResultRow }
  | { readonly table: 'weights'; readonly row: WeightsRow }
  | { readonly table: 'evidence'; readonly row: EvidenceRecord }

/** Rows waiting to be written. A batch that was taken stays the next one until it is confirmed. */
export class Spool {
  readonly #waiting: SpooledRow[] = []
  #batch: readonly SpooledRow[] = []

  get size(): number {
    return this.#batch.length + this.#waiting.length
  }

  /** @returns false when the oldest waiting row had to be dropped. */
  add(row: SpooledRow): boolean {
    this.#waiting.push(row)
    if (this.size <= MAX_SPOOLED) return true
    this.#waiting.shift()
    return false
  }

  /** The batch to write: the unconfirmed one, else up to `limit` waiting rows. */
  next(limit: number): readonly SpooledRow[] {
    if (this.#batch.length === 0) this.#batch = this.#waiting.splice(0, limit)
    return this.#batch
  }

  /** The batch was written or given up. */
  confirm(): void {
    this.#batch = []
  }

  /** Shortens the batch to `limit` rows; the others are written after it. */
  split(limit: number): void {
    this.#waiting.unshift(...this.#batch.slice(limit))
    this.#batch = this.#batch.slice(0, limit)
  }
}
