import { type Result, WINDOW } from './arithmetic.js'
import { type MinerRecord, rawScore } from './miner-score.js'
import type { ScoringRules } from './weights.js'

/** Plain data of a score book, as it is stored. */
export interface ScoreBookData {
  /** Block of the newest change. */
  readonly block: number
  readonly miners: readonly {
    readonly hotkey: string
    readonly results: readonly (readonly [model: string, results: readonly Result[]])[]
    readonly organics: readonly (readonly [block: number, result: Result])[]
  }[]
}

interface Entry {
  readonly results: Map<string, Result[]>
  organics: (readonly [block: number, result: Result])[]
}

/** Results kept of a window that was last written more than an epoch ago: five fresh ones then outweigh them. */
const STALE_WINDOW = 5
/** Windows kept of one miner; at most 64 models are wanted at a time. A list that changes for ever must not fill file and memory. */
const MAX_MODELS = 128
/** Organic results kept of one miner within an epoch. */
const MAX_ORGANICS = 1000

/**
 * Results of every miner, keyed by hotkey: a uid that changed hands starts empty. The last 15 results per model count;
 * organic results count for one epoch. Ageing: results never expire by themselves, new ones push them out, and a book
 * that was not written for longer than an epoch keeps only the newest five of each window (`trimStale`).
 */
export class ScoreBook {
  readonly #miners = new Map<string, Entry>()
  #block = 0

  /** Block of the newest change. */
  get block(): number {
    return this.#block
  }

  get hotkeys(): string[] {
    return [...this.#miners.keys()]
  }

  record(hotkey: string, model: string, result: Result, block: number): void {
    const { results } = this.#entry(hotkey)
    const window = results.get(model) ?? []
    window.push(sane(result))
    putNewest(results, model, window.slice(-WINDOW))
    this.#block = Math.max(this.#block, block)
  }

  recordOrganics(hotkey: string, results: readonly Result[], block: number): void {
    const entry = this.#entry(hotkey)
    for (const result of results) entry.organics.push([block, sane(result)])
    entry.organics = entry.organics.slice(-MAX_ORGANICS)
    this.#block = Math.max(this.#block, block)
  }

  /** Replaces the windows of one miner, for an imported file. */
  restoreMiner(hotkey: string, results: Iterable<readonly [string, readonly Result[]]>): void {
    const entry = this.#entry(hotkey)
    for (const [model, window] of results) putNewest(entry.results, model, window.map(sane).slice(-WINDOW))
  }

  /** Forgets hotkeys that left the subnet. @returns those forgotten */
  keepOnly(hotkeys: ReadonlySet<string>): string[] {
    const gone = this.hotkeys.filter((hotkey) => !hotkeys.has(hotkey))
    for (const hotkey of gone) this.#miners.delete(hotkey)
    return gone
  }

  /** Drops organic results older than `sinceBlock`. */
  expireOrganics(sinceBlock: number): void {
    for (const entry of this.#miners.values()) {
      entry.organics = entry.organics.filter(([block]) => block >= sinceBlock)
    }
  }

  /** Applies the ageing rule when the book is older than `epochLength` blocks. @returns whether it did */
  trimStale(block: number, epochLength: number): boolean {
    if (block - this.#block <= epochLength) return false
    for (const entry of this.#miners.values()) {
      for (const [model, window] of entry.results) entry.results.set(model, window.slice(-STALE_WINDOW))
    }
    return true
  }

  results(hotkey: string, model: string): readonly Result[] {
    return this.#miners.get(hotkey)?.results.get(model) ?? []
  }

  models(hotkey: string): string[] {
    return [...(this.#miners.get(hotkey)?.results.keys() ?? [])]
  }

  /** Score of one miner; `proportional` never below 0: penalties stay with the miner that earned them. */
  score(hotkey: string, served: readonly string[], wanted: ReadonlySet<string>, rules: ScoringRules): number {
    const entry = this.#miners.get(hotkey)
    if (!entry) return 0
    const record: MinerRecord = {
      results: entry.results,
      organics: entry.organics.map(([, result]) => result),
    }
    const score = rawScore(record, served, wanted)
    return rules === 'targon-4' ? score : Math.max(0, score)
  }

  toData(): ScoreBookData {
    return {
      block: this.#block,
      miners: [...this.#miners].map(([hotkey, entry]) => ({
        hotkey,
        results: [...entry.results],
        organics: entry.organics,
      })),
    }
  }

  static from(data: ScoreBookData): ScoreBook {
    const book = new ScoreBook()
    for (const { hotkey, results, organics } of data.miners) {
      book.restoreMiner(hotkey, results)
      book.#entry(hotkey).organics = organics.slice(-MAX_ORGANICS)
    }
    book.#block = data.block
    return book
  }

  #entry(hotkey: string): Entry {
    let entry = this.#miners.get(hotkey)
    if (!entry) {
      entry = { results: new Map(), organics: [] }
      this.#miners.set(hotkey, entry)
    }
    return entry
  }
}

/** Keeps the order of writing, and lets go of the window that was written longest ago. */
function putNewest(results: Map<string, Result[]>, model: string, window: Result[]): void {
  results.delete(model)
  results.set(model, window)
  const [oldest] = results.keys()
  if (results.size > MAX_MODELS && oldest !== undefined) results.delete(oldest)
}

/** A number that arithmetic cannot digest is a miss, never a best case. */
function sane(result: Result): Result {
  return result !== null && Number.isFinite(result) ? result : null
}
