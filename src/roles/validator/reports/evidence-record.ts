import { STATISTICS } from '../../../evidence/index.js'
import type { EvidenceRecord, StatisticEvidence } from '../../../history/index.js'
import type { EvidenceRow } from '../evidence/index.js'

/** A change of the evidence as a row of the history. */
export function evidenceRecordOf(
  { at, hotkey, model, standing, threshold, isEnforced, bands }: EvidenceRow,
  validator: string,
): EvidenceRecord {
  const { level, suspicion, answers, tokens, dialect, sentence, bar } = standing
  const statistics = STATISTICS.flatMap((statistic): StatisticEvidence[] => {
    const one = standing.statistics[statistic]
    if (!one) return []
    const { estimate, ...numbers } = one
    return [{ statistic, ...numbers, honest: bands[statistic], ...(estimate && { estimate }) }]
  })
  // The detectors start again with an alarm: its row shows what they had reached.
  const reached = bar?.since === at ? bar.wealth : 0
  return {
    ...{ at: new Date(at), validator, hotkey, model, level, enforces: isEnforced ? 1 : 0 },
    ...{ suspicion: Math.max(suspicion, reached), enforced: Math.max(standing.enforced, reached) },
    ...{ threshold, answers, tokens, dialect: dialect ?? null, sentence, statistics },
  }
}
