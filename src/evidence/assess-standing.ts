import type { PairData } from './book-data.js'
import { estimate } from './estimates.js'
import { STATISTICS, type Statistic } from './observation.js'
import { describeStanding } from './sentence.js'
import {
  leadingStatistic,
  type Standing,
  type StatisticStanding,
  statisticWealth,
  totalWealth,
} from './standing.js'

/** @param threshold log of the wealth at which evidence alarms */
export function standingOf(pair: PairData | undefined, threshold: number): Standing {
  if (!pair) return NO_STANDING
  const suspicion = totalWealth(pair, 'suspicion')
  const statistics: Partial<Record<Statistic, StatisticStanding>> = {}
  for (const statistic of STATISTICS) {
    const data = pair.statistics[statistic]
    if (!data) continue
    statistics[statistic] = {
      suspicion: statisticWealth(pair, statistic, 'suspicion') / Math.LN10,
      enforced: statisticWealth(pair, statistic, 'enforced') / Math.LN10,
      estimate: estimate(statistic, data),
      tokens: data.tokens,
    }
  }
  const level = pair.bar ? 'barred' : suspicion >= threshold ? 'suspected' : 'clean'
  const facts = {
    level,
    suspicion: suspicion / Math.LN10,
    enforced: totalWealth(pair, 'enforced') / Math.LN10,
    leading: leadingStatistic(pair, level === 'suspected' ? 'suspicion' : 'enforced'),
    statistics,
    dialect: pair.dialect,
    synchronised: pair.synchronised,
    unsynchronised: pair.unsynchronised,
    unknown: pair.unknown,
    answers: pair.answers,
    relayed: pair.relayed,
    tokens: pair.tokens,
    since: pair.since,
    bar: pair.bar,
  } as const
  return { ...facts, sentence: describeStanding(facts) }
}

const NO_STANDING: Standing = {
  level: 'clean',
  suspicion: 0,
  enforced: 0,
  leading: undefined,
  statistics: {},
  dialect: undefined,
  synchronised: 0,
  unsynchronised: 0,
  unknown: 0,
  answers: 0,
  relayed: 0,
  tokens: 0,
  since: undefined,
  bar: undefined,
  sentence: 'No answer has been weighed yet.',
}
