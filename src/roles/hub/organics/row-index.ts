import type { RowFacts } from './row.js'

/** A row on disk. */
export interface KeptRow extends RowFacts {
  readonly name: string
}

/** What is in memory of the rows on disk, by file name, in the order in which they were kept. */
export class RowIndex {
  readonly #rows = new Map<string, KeptRow>()
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#rows.size
  }

  add(row: KeptRow): void {
    this.#rows.set(row.name, row)
    this.#bytes += row.bytes
  }

  delete(name: string): void {
    this.#bytes -= this.#rows.get(name)?.bytes ?? 0
    this.#rows.delete(name)
  }

  newerThan(atMs: number): KeptRow[] {
    return [...this.#rows.values()].filter((row) => row.atMs > atMs)
  }

  expired(atMs: number): string[] {
    return [...this.#rows.values()].flatMap((row) => (row.atMs <= atMs ? [row.name] : []))
  }

  /** Names of the oldest rows, as many as are above the bounds. */
  overflow(most: { readonly rows: number; readonly bytes: number }): string[] {
    const names: string[] = []
    let { bytes, size } = this
    for (const row of this.#rows.values()) {
      if (bytes <= most.bytes && size <= most.rows) break
      names.push(row.name)
      bytes -= row.bytes
      size--
    }
    return names
  }
}
