import { writeCsvLine } from '../../../kernel/index.js'
import { type ExplainedReport, escapeTexts } from './explained.js'
import { describeCauses } from './rows.js'

const COLUMNS = [
  'uid',
  'hotkey',
  'model',
  'from',
  'to',
  'score',
  'weight_u16',
  'verified',
  'inconclusive',
  'failed',
  'causes',
  'not_serving',
  'tokens_per_second_p5',
  'tokens_per_second_p50',
  'tokens_per_second_p95',
  'first_token_ms_p5',
  'first_token_ms_p50',
  'first_token_ms_p95',
  'window',
  'last_failure_at',
  'last_failure_cause',
  'last_failure_detail',
  'counted',
]

/**
 * One line per miner and model, also for miners without results (RFC 4180 with LF between lines). Times are in UTC. The window
 * is `;`-separated; `x` is a miss. `counted` says what the counts cover.
 */
export function writeCsv(document: ExplainedReport): string {
  const { rows, miners, counted } = escapeTexts(document)
  const known = new Map(miners.map((miner) => [miner.hotkey, miner]))
  const lines = rows.map((row) => {
    const miner = known.get(row.hotkey)
    const model = miner?.models.find((one) => one.model === row.model)
    const [last] = model?.lastFailures ?? []
    const { tokensPerSecond: speed, timeToFirstTokenMs: first } = row
    return [
      ...[row.uid, row.hotkey, row.model, miner?.from, miner?.to, row.score, row.weightU16],
      ...[row.verified, row.inconclusive, row.failed, describeCauses(row.causes), row.notServing],
      ...[speed?.p5, speed?.p50, speed?.p95, first?.p5, first?.p50, first?.p95],
      model?.window.map((result) => (result === null ? 'x' : result.toFixed(2))).join(';'),
      ...[last?.at, last?.cause, last?.detail, counted],
    ]
  })
  return [COLUMNS, ...lines].map(writeCsvLine).join('\n')
}
