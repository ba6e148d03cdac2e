import type { ModelReport } from '../../../history/index.js'
import { calibrationFacts, writeCalibration } from '../calibration/index.js'
import { type ExplainedMiner, type ExplainedReport, escapeTexts } from './explained.js'
import { evidenceText, type FormatTable } from './report-evidence.js'
import { describePeriod, fillHours } from './report-times.js'
import { describeCauses } from './rows.js'

const HEAD = [
  ...['uid', 'model', 'score', 'weight', 'verified', 'no verdict', 'tokens/s', 'first ms', 'trend'],
  'failed',
]

/** The report for a terminal: a table of all miners, or with `isOne` the details of the only one. Times are in UTC. */
export function writeText(document: ExplainedReport, isOne: boolean, formatTable: FormatTable): string {
  const report = escapeTexts(document)
  const [only] = report.miners
  return isOne && only ? describeOne(only, report, formatTable) : tableOf(report, formatTable)
}

function headline(report: ExplainedReport, formatTable: FormatTable): string {
  const { validator } = report
  const state = validator
    ? `block ${validator.block}, epoch ${validator.epoch.index}, weights due at block ${validator.epoch.nextBlock}, ${validator.rounds} rounds\n`
    : ''
  const calibrations = (validator?.calibrations ?? [])
    .map((one) => {
      const facts = calibrationFacts(one)
      return `${writeCalibration(one)}\n${facts.length > 0 ? `${formatTable(facts)}\n` : ''}`
    })
    .join('')
  return `${state}${calibrations}${describePeriod(report)} Times are in UTC.`
}

function tableOf(report: ExplainedReport, formatTable: FormatTable): string {
  const models = new Map(
    report.miners.flatMap(({ hotkey, models }) => models.map((one) => [`${hotkey} ${one.model}`, one])),
  )
  const rows = report.rows.map((row) => {
    const model = models.get(`${row.hotkey} ${row.model}`)
    return [
      ...[String(row.uid), row.model || '-', text(row.score?.toFixed(3)), text(row.weightU16)],
      ...[String(row.verified), String(row.inconclusive)],
      ...[text(row.tokensPerSecond?.p50.toFixed(1)), text(row.timeToFirstTokenMs?.p50.toFixed(0))],
      ...[(model && sparkline(model)) || '-', describeCauses(row.causes)],
    ]
  })
  return `${headline(report, formatTable)}\n${formatTable([HEAD, ...rows], [0, 2, 3, 4, 5, 6, 7])}`
}

function describeOne(miner: ExplainedMiner, report: ExplainedReport, formatTable: FormatTable): string {
  const facts = [
    ['uid', String(miner.uid)],
    ['hotkey', miner.hotkey],
    ['score', text(miner.score?.toFixed(3))],
    ['weight', text(miner.weightU16)],
    ['serves', miner.serves ? miner.serves.join(', ') || 'none' : '-'],
    ...(report.counted === 'start' ? startCounts(report) : [['results', periodOf(miner)]]),
  ]
  const models = miner.models.map((model) => `\n${describeModel(model, formatTable)}`)
  return [headline(report, formatTable), formatTable(facts), ...models].join('\n')
}

function startCounts({ rows }: ExplainedReport): string[][] {
  return rows.flatMap(({ verified, inconclusive, causes }) => [
    ['verified', String(verified)],
    ['no verdict', String(inconclusive)],
    ['failed', describeCauses(causes)],
  ])
}

function periodOf({ from, to }: ExplainedMiner): string {
  return from && to ? `${from} to ${to}` : 'none in this period'
}

function describeModel(model: ModelReport, formatTable: FormatTable): string {
  const { verdicts, notServing, satOut, unchecked, tokensPerSecond, timeToFirstTokenMs } = model
  const spread = (of: typeof tokensPerSecond, digits: number) =>
    of ? [of.p5, of.p50, of.p95].map((value) => value.toFixed(digits)).join(' / ') : '-'
  const facts = [
    ['window', model.window.map((result) => (result === null ? 'miss' : result.toFixed(1))).join(' ') || '-'],
    ['verified', String(verdicts.verified)],
    ['no verdict', String(verdicts.inconclusive)],
    ['failed', describeCauses(verdicts.failed)],
    ['not serving', `${notServing} times`],
    ['sat out', `${satOut} rounds, while its last answer was still streaming`],
    ...(unchecked > 0 ? [['not checked', `${unchecked} answers, scored by the next checked one`]] : []),
    ['tokens/s p5/p50/p95', spread(tokensPerSecond, 1)],
    ['first token ms p5/p50/p95', spread(timeToFirstTokenMs, 0)],
    ['trend by hour', describeTrend(model)],
  ]
  const failures = model.lastFailures.map(({ at, block, cause, tokens, detail }) => [
    ...[`  ${at}`, `block ${block}`, cause, `${tokens} tokens`, detail],
  ])
  const last = failures.length > 0 ? `\nlast failures\n${formatTable(failures)}` : ''
  return `${model.model}\n${formatTable(facts)}${evidenceText(model, formatTable)}${last}`
}

const BARS = '▁▂▃▄▅▆▇█'
const HOURS = 24

function describeTrend(model: ModelReport): string {
  const last = model.trend.at(-1)
  return last === undefined ? '-' : `${sparkline(model)}  (last hour ${last.at.slice(0, 16)}Z)`
}

/**
 * Mean speed in each of the 24 hours before the last result; `×` is an hour with failures only, `·` an hour without verdicts
 * or results.
 */
function sparkline({ trend }: ModelReport): string {
  const hours = fillHours(trend, HOURS)
  const highest = Math.max(...hours.map(({ hour }) => hour?.meanTokensPerSecond ?? 0), 1e-9)
  return hours
    .map(({ hour }) => {
      if (!hour || hour.verified === 0) return hour && hour.failed > 0 ? '×' : '·'
      return BARS[Math.min(7, Math.floor((8 * hour.meanTokensPerSecond) / highest))] ?? ''
    })
    .join('')
}

function text(value: string | number | null | undefined): string {
  return value === null || value === undefined ? '-' : String(value)
}
