import type { Bar, PairData } from './book-data.js'
import { logMean } from './detector.js'
import type { Estimate } from './estimates.js'
import { type Dialect, STATISTICS, type Statistic } from './observation.js'

export type StandingLevel = 'clean' | 'suspected' | 'barred'
export type Level = 'suspicion' | 'enforced'

export interface StatisticStanding {
  /** log10(1 + wealth) at either level: at least 0. */
  readonly suspicion: number
  readonly enforced: number
  /** S, G: nats of noise per logit. R: mean nats. T: served temperature per temperature asked. E: nats per token. */
  readonly estimate: Estimate | undefined
  /** Tokens behind the estimate, recent ones above all. */
  readonly tokens: number
}

/** What the evidence says of one miner and model. */
export interface Standing {
  readonly level: StandingLevel
  /** log10(1 + wealth) of all statistics together. */
  readonly suspicion: number
  readonly enforced: number
  /** The statistic with the largest wealth: at the level of suspicion while the pair is suspected, otherwise at the enforced one. */
  readonly leading: Statistic | undefined
  readonly statistics: Readonly<Partial<Record<Statistic, StatisticStanding>>>
  readonly dialect: Dialect | undefined
  readonly synchronised: number
  readonly unsynchronised: number
  readonly unknown: number
  readonly answers: number
  /** Answers among them that a hub reported: they count towards suspicion alone. */
  readonly relayed: number
  readonly tokens: number
  /** Time of the first answer, in milliseconds since 1970; undefined before it. */
  readonly since: number | undefined
  /** Set while the pair is barred. */
  readonly bar: Bar | undefined
  /** For the operator of the miner. */
  readonly sentence: string
}

/** log(1 + wealth) of all statistics: the mean over statistics of the mean over their detectors. */
export function totalWealth(pair: PairData, level: Level): number {
  return logMean(STATISTICS.map((statistic) => statisticWealth(pair, statistic, level)))
}

export function statisticWealth(pair: PairData, statistic: Statistic, level: Level): number {
  return logMean(pair.statistics[statistic]?.[level] ?? [])
}

/** The statistic with the largest wealth at a level; undefined while none has any. */
export function leadingStatistic(pair: PairData, level: Level): Statistic | undefined {
  let leading: Statistic | undefined
  let most = 0
  for (const statistic of STATISTICS) {
    const wealth = statisticWealth(pair, statistic, level)
    if (wealth > most) [leading, most] = [statistic, wealth]
  }
  return leading
}
