import { countFailed, describeFailures, type ExplainedReport, escapeTexts } from './explained.js'

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
]

/** One line per miner and model, also for miners without results (RFC 4180 with LF between lines). The window is `;`-separated; `x` is a miss. */
export function writeCsv(report: ExplainedReport): string {
  const lines = escapeTexts(report.miners).flatMap(({ uid, hotkey, from, to, score, weightU16, models }) => {
    const head = [uid, hotkey]
    const now = [from, to, score, weightU16]
    if (models.length === 0) return [[...head, null, ...now, ...COLUMNS.slice(7).map(() => null)]]
    return models.map((model) => {
      const { verdicts, tokensPerSecond: speed, timeToFirstTokenMs: first, lastFailures } = model
      const [last] = lastFailures
      return [
        ...[...head, model.model, ...now],
        ...[verdicts.verified, verdicts.inconclusive, countFailed(model), describeFailures(verdicts)],
        model.notServing,
        ...[speed?.p5, speed?.p50, speed?.p95, first?.p5, first?.p50, first?.p95],
        model.window.map((result) => (result === null ? 'x' : result.toFixed(2))).join(';'),
        ...[last?.at, last?.cause, last?.detail],
      ]
    })
  })
  return [COLUMNS, ...lines].map((line) => line.map(writeCell).join(',')).join('\n')
}

/** A detail may contain text of a miner, which a spreadsheet must not interpret as a formula. */
function writeCell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const text = /^\s*[=+\-@＝＋－＠]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
