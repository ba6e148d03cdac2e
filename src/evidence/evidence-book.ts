import { standingOf } from './assess-standing.js'
import {
  type Bar,
  copyPair,
  type EvidenceBookData,
  MAX_PAIRS,
  type PairData,
  type StatisticData,
} from './book-data.js'
import { advance, newDetectors } from './detector.js'
import { type Dialect, type Observation, STATISTICS, type Statistic } from './observation.js'
import { leadingStatistic, type Standing, type StandingLevel, totalWealth } from './standing.js'
import { TUNING } from './tuning.js'

export interface EvidenceRules {
  /** Wealth at which evidence alarms: `alarmThreshold`. */
  readonly threshold: number
  /** Clean answers in a row after which a barred pair is free again. */
  readonly cleanAnswers: number
}

/**
 * Who vouches for an answer: `own` was asked for by this validator, `relayed` was reported by a hub, which could invent it, for
 * miners do not sign answers.
 */
export type AnswerSource = 'own' | 'relayed'

/** What one answer changed. */
export interface EvidenceChange {
  readonly before: StandingLevel
  readonly after: StandingLevel
  /** An alarm at this answer: the pair was not barred before. */
  readonly alarm?: Bar
  /** A barred pair was bad again before it was clean for long enough; it starts over. */
  readonly isRelapse?: true
  /** The server follows seeds in another dialect than remembered, or in one for the first time. */
  readonly dialect?: { readonly from: Dialect | undefined; readonly to: Dialect }
}

/** The evidence on every miner and model, one pair per (hotkey, model). */
export class EvidenceBook {
  readonly #pairs = new Map<string, PairData>()
  /** The same by hotkey and then model, so that a look-up of one miner does not visit all. */
  readonly #miners = new Map<string, Map<string, PairData>>()
  #rules: EvidenceRules

  constructor(rules: EvidenceRules) {
    this.#rules = rules
  }

  static from(data: EvidenceBookData, rules: EvidenceRules): EvidenceBook {
    const book = new EvidenceBook(rules)
    for (const pair of data.pairs) book.#add(restored(pair))
    return book
  }

  /** Rules may change at run time, with the round rate. */
  setRules(rules: EvidenceRules): void {
    this.#rules = rules
  }

  /**
   * Adds one answer. A relayed one counts towards suspicion and the estimates alone: it neither bars a pair, nor frees one, nor
   * says how the server draws. So the false alarms of `enforced` do not depend on the honesty of a hub.
   *
   * @param at milliseconds since 1970
   */
  record(
    hotkey: string,
    model: string,
    observation: Observation,
    at: number,
    source: AnswerSource = 'own',
  ): EvidenceChange {
    const pair = this.#pairOf(hotkey, model, at)
    const before = this.#levelOf(pair)
    pair.answers++
    pair.tokens += observation.tokens
    this.#weigh(pair, observation, source)
    if (source === 'relayed') {
      pair.relayed++
      return { before, after: this.#levelOf(pair) }
    }
    const dialect = noteSynchrony(pair, observation)
    const outcome = pair.bar ? this.#reviewBarred(pair, pair.bar, observation) : this.#reviewFree(pair, at)
    return { before, after: this.#levelOf(pair), ...outcome, ...(dialect && { dialect }) }
  }

  standing(hotkey: string, model: string): Standing {
    return standingOf(this.#pairs.get(keyOf(hotkey, model)), this.#logThreshold())
  }

  dialectOf(hotkey: string, model: string): Dialect | undefined {
    return this.#pairs.get(keyOf(hotkey, model))?.dialect
  }

  isBarred(hotkey: string, model: string): boolean {
    return this.#pairs.get(keyOf(hotkey, model))?.bar !== undefined
  }

  /** Evidence that the miner chooses where its answers end (`weighEnding`); 1 without any. */
  endingsOf(hotkey: string, model: string): number {
    return this.#pairs.get(keyOf(hotkey, model))?.endings ?? 1
  }

  setEndings(hotkey: string, model: string, endings: number, at: number): void {
    if (endings === this.endingsOf(hotkey, model)) return
    this.#pairOf(hotkey, model, at).endings = Number.isFinite(endings) ? Math.max(0, endings) : 1
  }

  /** The models on which there is evidence about the miner, and that evidence has this level. */
  modelsOf(hotkey: string, level?: StandingLevel): readonly string[] {
    const pairs = [...(this.#miners.get(hotkey)?.values() ?? [])]
    const wanted = level === undefined ? pairs : pairs.filter((pair) => this.#levelOf(pair) === level)
    return wanted.map(({ model }) => model)
  }

  /** The models on which there is evidence about any miner. */
  models(): ReadonlySet<string> {
    return new Set([...this.#pairs.values()].map(({ model }) => model))
  }

  /** The level of every pair. */
  levels(): readonly StandingLevel[] {
    return [...this.#pairs.values()].map((pair) => this.#levelOf(pair))
  }

  /** Forgets the miners that left the subnet. @returns how many pairs were forgotten */
  keepOnly(hotkeys: ReadonlySet<string>): number {
    const before = this.#pairs.size
    for (const pair of this.#pairs.values()) if (!hotkeys.has(pair.hotkey)) this.#remove(pair)
    return before - this.#pairs.size
  }

  /** The evidence on one miner and model alone, as a book of at most one pair. */
  pairData(hotkey: string, model: string): EvidenceBookData {
    const pair = this.#pairs.get(keyOf(hotkey, model))
    return { version: 1, pairs: pair ? [copyPair(pair)] : [] }
  }

  toData(): EvidenceBookData {
    return { version: 1, pairs: [...this.#pairs.values()].map(copyPair) }
  }

  #logThreshold(): number {
    return Math.log1p(this.#rules.threshold)
  }

  #levelOf(pair: PairData): StandingLevel {
    if (pair.bar) return 'barred'
    return totalWealth(pair, 'suspicion') >= this.#logThreshold() ? 'suspected' : 'clean'
  }

  #pairOf(hotkey: string, model: string, at: number): PairData {
    const known = this.#pairs.get(keyOf(hotkey, model))
    if (known) return known
    const [oldest] = this.#pairs.values()
    if (this.#pairs.size >= MAX_PAIRS && oldest !== undefined) this.#remove(oldest)
    const pair: PairData = {
      ...{ hotkey, model, since: at, answers: 0, relayed: 0, tokens: 0 },
      ...{ synchronised: 0, unsynchronised: 0, unknown: 0, statistics: {}, endings: 1 },
    }
    this.#add(pair)
    return pair
  }

  #add(pair: PairData): void {
    const { hotkey, model } = pair
    this.#pairs.set(keyOf(hotkey, model), pair)
    const models = this.#miners.get(hotkey)
    if (models) models.set(model, pair)
    else this.#miners.set(hotkey, new Map([[model, pair]]))
  }

  #remove({ hotkey, model }: PairData): void {
    this.#pairs.delete(keyOf(hotkey, model))
    const models = this.#miners.get(hotkey)
    models?.delete(model)
    if (models?.size === 0) this.#miners.delete(hotkey)
  }

  #weigh(pair: PairData, observation: Observation, source: AnswerSource): void {
    // One answer above what a single detector needs for an alarm, so that wealth can fall again.
    const most = this.#logThreshold() + Math.log(100 * TUNING.answerCap.value)
    for (const statistic of STATISTICS) {
      const seen = observation.statistics[statistic]
      if (!seen) continue
      const data = statisticOf(pair, statistic)
      advance(data.suspicion, seen.suspicion, most)
      if (source === 'own') advance(data.enforced, seen.enforced, most)
      const keep = TUNING.memory.value
      data.tokens = data.tokens * keep + seen.tokens
      data.sums = seen.sums.map((sum, index) => (data.sums[index] ?? 0) * keep + sum)
    }
  }

  #reviewFree(pair: PairData, at: number): Partial<EvidenceChange> {
    const wealth = totalWealth(pair, 'enforced')
    const statistic = leadingStatistic(pair, 'enforced')
    if (wealth < this.#logThreshold() || !statistic) return {}
    pair.bar = {
      ...{ statistic, wealth: wealth / Math.LN10, answers: pair.answers, tokens: pair.tokens },
      ...{ since: at, clean: 0, relapses: 0 },
    }
    restart(pair)
    return { alarm: pair.bar }
  }

  #reviewBarred(pair: PairData, bar: Bar, observation: Observation): Partial<EvidenceChange> {
    const { cleanAnswers } = this.#rules
    if (totalWealth(pair, 'enforced') >= Math.log1p(cleanAnswers * TUNING.returnDoubt.value)) {
      bar.clean = 0
      bar.relapses++
      restart(pair)
      return { isRelapse: true }
    }
    const judged = Object.values(observation.statistics).map(({ tokens }) => tokens)
    if (Math.max(0, ...judged) >= TUNING.cleanAnswerTokens.value) bar.clean++
    if (bar.clean >= cleanAnswers) {
      delete pair.bar
      restart(pair)
    }
    return {}
  }
}

function keyOf(hotkey: string, model: string): string {
  return `${hotkey} ${model}`
}

function statisticOf(pair: PairData, statistic: Statistic): StatisticData {
  const known = pair.statistics[statistic]
  if (known) return known
  const [suspicion, enforced] = [newDetectors(statistic), newDetectors(statistic)]
  const data: StatisticData = { suspicion, enforced, tokens: 0, sums: [] }
  pair.statistics[statistic] = data
  return data
}

/** All detectors start again; estimates stay. */
function restart(pair: PairData): void {
  for (const data of Object.values(pair.statistics)) {
    data.suspicion.fill(0)
    data.enforced.fill(0)
  }
}

/** A stored pair; statistics whose bets have changed since start again. */
function restored(pair: PairData): PairData {
  const copy = copyPair(pair)
  for (const statistic of STATISTICS) {
    const data = copy.statistics[statistic]
    const length = newDetectors(statistic).length
    if (data && (data.suspicion.length !== length || data.enforced.length !== length))
      delete copy.statistics[statistic]
  }
  return copy
}

function noteSynchrony(pair: PairData, { synchrony, dialect }: Observation): EvidenceChange['dialect'] {
  if (synchrony === 'yes') pair.synchronised++
  if (synchrony === 'no') pair.unsynchronised++
  if (synchrony === 'unknown') pair.unknown++
  if (synchrony !== 'yes' || !dialect || dialect === pair.dialect) return undefined
  const from = pair.dialect
  pair.dialect = dialect
  return { from, to: dialect }
}
