import { putNewest } from '../kernel/index.js'
import { type Result, safeMeanScore, WINDOW } from './arithmetic.js'
import type { ScoringRules } from './weights.js'

/** A score book as plain data, for storage. */
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
  /** By model: rounds the miner sits out because its stream is still open. */
  readonly satOut: Map<string, SatOutRounds>
  /** By model: speeds of answers that this validator chose not to check, in tokens per second, oldest first. */
  readonly unchecked: Map<string, readonly number[]>
  organics: (readonly [block: number, result: Result])[]
}

interface SatOutRounds {
  readonly rounds: number
  /** Of the open stream so far, in tokens per second. No verdict has confirmed it. */
  readonly speed: number
}

/** How far organic results may move a score under `proportional`, relative to the score from our own rounds. */
export interface OrganicBounds {
  /** Largest share that penalties can take (`--hub.max-penalty`). */
  readonly maxPenalty: number
  /** Most that organic speeds can add (`--hub.max-speed-ratio`). */
  readonly maxSpeedRatio: number
}

/** What a miner gets for the rounds it sat out: the speed its stream had shown, or what the verdict on it says. */
export type SatOutWorth = Result | 'speed so far'

/** Results kept of a window older than an epoch, so that a few fresh results outweigh them. */
const STALE_WINDOW = 5
/**
 * Models kept per miner and kind of result, so that a changing model list cannot fill file and memory; at most 64 models are
 * active at a time.
 */
const MAX_MODELS = 128
const DEFAULT_BOUNDS: OrganicBounds = { maxPenalty: 0.1, maxSpeedRatio: 1.5 }
/** Organic results kept per miner and epoch. */
const MAX_ORGANICS = 1000

/**
 * Results of every miner by hotkey, so that a uid with a new owner starts empty. The last 15 results per model count, organic
 * results for one epoch. New results replace old ones; only a book not written for more than an epoch is cut (`trimStale`).
 *
 * A miner that keeps a stream open sits rounds out, which count with the speed of that stream so far, so that the window moves
 * on. What no verdict has confirmed never raises a score; the same holds for answers that are not checked.
 */
export class ScoreBook {
  readonly #miners = new Map<string, Entry>()
  readonly #bounds: OrganicBounds
  #block = 0

  constructor(bounds: OrganicBounds = DEFAULT_BOUNDS) {
    this.#bounds = bounds
  }

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
    window.push(sanitize(result))
    putNewest(results, model, window.slice(-WINDOW), MAX_MODELS)
    this.#block = Math.max(this.#block, block)
  }

  /** Counts a round that the miner sits out while its stream is open, with the speed of that stream so far. */
  sitOut(hotkey: string, model: string, speed: number, block: number): void {
    const { satOut } = this.#entry(hotkey)
    const rounds = Math.min(WINDOW, (satOut.get(model)?.rounds ?? 0) + 1)
    putNewest(satOut, model, { rounds, speed: speedOf(speed) }, MAX_MODELS)
    this.#block = Math.max(this.#block, block)
  }

  /** Whether rounds that the miner sat out for the model wait for a verdict. */
  hasSatOut(hotkey: string, model: string): boolean {
    return this.#miners.get(hotkey)?.satOut.has(model) === true
  }

  /** Counts an answer that is not checked: the next verdict on this miner and model says whether its speed counts. */
  leaveUnchecked(hotkey: string, model: string, speed: number, block: number): void {
    const { unchecked } = this.#entry(hotkey)
    putNewest(unchecked, model, [...(unchecked.get(model) ?? []), speedOf(speed)].slice(-WINDOW), MAX_MODELS)
    this.#block = Math.max(this.#block, block)
  }

  /**
   * The stream has ended: what the rounds sat out are worth becomes part of the window. The speed so far does not where it
   * would raise the score.
   *
   * @returns the results added
   */
  settleSatOut(hotkey: string, model: string, worth: SatOutWorth): Result[] {
    const entry = this.#miners.get(hotkey)
    const open = entry?.satOut.get(model)
    if (!entry || !open) return []
    entry.satOut.delete(model)
    const result = worth === 'speed so far' ? open.speed : sanitize(worth)
    const added = new Array<Result>(open.rounds).fill(result)
    return add(entry, model, added, worth === 'speed so far') ? added : []
  }

  /**
   * A later answer was checked. If it was verified, the answers before it count with their own speeds, at most the fastest that
   * a verdict has confirmed; if it failed, as misses.
   *
   * @param verified speed of the answer that was checked; null when it failed
   * @returns the results added
   */
  settleUnchecked(hotkey: string, model: string, verified: Result): Result[] {
    const entry = this.#miners.get(hotkey)
    const speeds = entry?.unchecked.get(model)
    if (!entry || !speeds) return []
    entry.unchecked.delete(model)
    const window = entry.results.get(model) ?? []
    const checked = sanitize(verified)
    const fastest = Math.max(checked ?? 0, ...window.map((result) => result ?? 0))
    const added = speeds.map((speed) => (checked === null ? null : Math.min(speed, fastest)))
    add(entry, model, added, false)
    return added
  }

  recordOrganics(hotkey: string, results: readonly Result[], block: number): void {
    const entry = this.#entry(hotkey)
    for (const result of results) entry.organics.push([block, sanitize(result)])
    entry.organics = entry.organics.slice(-MAX_ORGANICS)
    this.#block = Math.max(this.#block, block)
  }

  /** Replaces the windows of one miner, for an imported file. */
  restoreMiner(hotkey: string, results: Iterable<readonly [string, readonly Result[]]>): void {
    const entry = this.#entry(hotkey)
    for (const [model, window] of results)
      putNewest(entry.results, model, window.map(sanitize).slice(-WINDOW), MAX_MODELS)
  }

  /** Removes hotkeys that left the subnet. @returns the removed ones */
  keepOnly(hotkeys: ReadonlySet<string>): string[] {
    const removed = this.hotkeys.filter((hotkey) => !hotkeys.has(hotkey))
    for (const hotkey of removed) this.#miners.delete(hotkey)
    return removed
  }

  /** Drops organic results older than `sinceBlock`. */
  expireOrganics(sinceBlock: number): void {
    for (const entry of this.#miners.values()) {
      entry.organics = entry.organics.filter(([block]) => block >= sinceBlock)
    }
  }

  /** Cuts the windows when the book is older than `epochLength` blocks. @returns whether it did */
  trimStale(block: number, epochLength: number): boolean {
    if (block - this.#block <= epochLength) return false
    for (const entry of this.#miners.values()) {
      for (const [model, window] of entry.results) entry.results.set(model, window.slice(-STALE_WINDOW))
    }
    return true
  }

  /** The window that counts now, unconfirmed rounds included. */
  results(hotkey: string, model: string): readonly Result[] {
    const entry = this.#miners.get(hotkey)
    return entry ? currentWindow(entry, model) : []
  }

  models(hotkey: string): string[] {
    return [...(this.#miners.get(hotkey)?.results.keys() ?? [])]
  }

  /**
   * Score of one miner. With `proportional` it is at least 0, so that penalties affect only the miner that earned them, and
   * organic results, for which only the hub vouches, move it no further from what our own rounds show than the bounds say.
   */
  score(hotkey: string, served: readonly string[], active: ReadonlySet<string>, rules: ScoringRules): number {
    const entry = this.#miners.get(hotkey)
    if (!entry) return 0
    const record: MinerRecord = {
      results: currentWindows(entry),
      organics: entry.organics.map(([, result]) => result),
    }
    const score = rawScore(record, served, active)
    if (rules === 'targon-4') return score
    const synthetic = rawScore({ ...record, organics: [] }, served, active)
    const { maxPenalty, maxSpeedRatio } = this.#bounds
    return Math.max(synthetic * (1 - maxPenalty), Math.min(score, synthetic * (1 + maxSpeedRatio)), 0)
  }

  /** Unconfirmed rounds are stored as they count now: after a restart nothing is known of them. */
  toData(): ScoreBookData {
    return {
      block: this.#block,
      miners: [...this.#miners].map(([hotkey, entry]) => ({
        hotkey,
        results: [...currentWindows(entry)],
        organics: entry.organics,
      })),
    }
  }

  static from(data: ScoreBookData, bounds?: OrganicBounds): ScoreBook {
    const book = new ScoreBook(bounds)
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
      entry = { results: new Map(), satOut: new Map(), unchecked: new Map(), organics: [] }
      this.#miners.set(hotkey, entry)
    }
    return entry
  }
}

function currentWindows(entry: Entry): ReadonlyMap<string, readonly Result[]> {
  if (entry.satOut.size + entry.unchecked.size === 0) return entry.results
  return new Map([...entry.results.keys()].map((model) => [model, currentWindow(entry, model)]))
}

function currentWindow({ results, satOut, unchecked }: Entry, model: string): readonly Result[] {
  const window = results.get(model) ?? []
  const { rounds, speed } = satOut.get(model) ?? { rounds: 0, speed: 0 }
  const unconfirmed = [...(unchecked.get(model) ?? []), ...new Array<Result>(rounds).fill(speed)]
  if (unconfirmed.length === 0) return window
  const moved = [...window, ...unconfirmed].slice(-WINDOW)
  return safeMeanScore(moved) < safeMeanScore(window) ? moved : window
}

/** Adds results to a window. @returns false when they were left out, because unconfirmed ones must not raise the score */
function add({ results }: Entry, model: string, added: readonly Result[], isUnconfirmed: boolean): boolean {
  const window = results.get(model) ?? []
  const next = [...window, ...added].slice(-WINDOW)
  if (isUnconfirmed && safeMeanScore(next) >= safeMeanScore(window)) return false
  putNewest(results, model, next, MAX_MODELS)
  return true
}

/** A speed that no verdict has confirmed. */
function speedOf(value: number): number {
  return Number.isFinite(value) ? Math.max(0, value) : 0
}

/** Turns NaN and infinities into misses. */
function sanitize(result: Result): Result {
  return result !== null && Number.isFinite(result) ? result : null
}

/** The results a miner's score is computed from. */
export interface MinerRecord {
  /** Results by model, oldest first. */
  readonly results: ReadonlyMap<string, readonly Result[]>
  /** Organic results of the current epoch: tokens per second, penalties (negative) and misses. */
  readonly organics: readonly Result[]
}

/**
 * The score of one miner by 4.4.1 math.py get_weights: organic mean + the means of the last 15 results of each model that it
 * serves and that is active, in the order served. May be negative. A model listed twice counts twice, as in 4.4.1, so
 * callers must pass deduplicated lists.
 */
export function rawScore(
  record: MinerRecord,
  served: readonly string[],
  active: ReadonlySet<string>,
): number {
  let score = safeMeanScore(record.organics)
  for (const model of served) {
    const results = active.has(model) ? record.results.get(model) : undefined
    if (results) score += safeMeanScore(results.slice(-WINDOW))
  }
  return score
}
