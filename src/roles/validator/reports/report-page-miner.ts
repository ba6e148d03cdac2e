import type { ModelReport } from '../../../history/index.js'
import type { ExplainedMiner, ExplainedReport } from './explained.js'
import { describeEvidence } from './report-page-evidence.js'
import { cell, escapeText, plot, table } from './report-page-html.js'
import { inUtc } from './report-times.js'
import { describeCauses } from './rows.js'

/** The details of a miner: counts, plots with their numbers, percentiles and last failures of each model. */
export function describeMiner(
  miner: ExplainedMiner,
  report: ExplainedReport,
  index: number,
  open: boolean,
): string {
  const { uid, hotkey, models } = miner
  const parts = models.map((model, place) => describeModel(model, `${index}/${place}`, `m${index}-${place}`))
  return `<details class="miner" id="m${index}"${open ? ' open' : ''}><summary>uid ${uid} <code>${escapeText(hotkey)}</code></summary>
<p class="quiet">${escapeText(summaryOf(miner, report))}</p>${parts.join('')}</details>`
}

function summaryOf({ uid, hotkey, from, to }: ExplainedMiner, { counted, rows }: ExplainedReport): string {
  if (from && to) return `${inUtc(from)} to ${inUtc(to)}`
  const row = rows.find((one) => one.uid === uid && one.hotkey === hotkey)
  if (counted === 'period' || !row) return 'no results in this period'
  const { verified, inconclusive, causes } = row
  return `Since the validator started: ${verified} verified, ${inconclusive} without verdict, failed: ${describeCauses(causes)}.`
}

function describeModel(model: ModelReport, place: string, id: string): string {
  const { verdicts, notServing, satOut, unchecked, lastFailures } = model
  const name = escapeText(model.model)
  return `<section aria-labelledby="${id}"><h2 id="${id}">${name}</h2>
<p>${verdicts.verified} verified, ${verdicts.inconclusive} without verdict, failed: ${escapeText(describeCauses(verdicts.failed))}, did not serve it: ${notServing}, sat out: ${satOut}, not checked: ${unchecked}</p>
<div class="plots">${plot('window', place, 'The last results that count, oldest first', windowTable(model))}
${plot('trend', place, 'Trend by hour, in UTC', trendTable(model))}</div>
${describeEvidence(model, place)}
${percentiles(model)}
${lastFailures.length > 0 ? failures(model) : ''}</section>`
}

function windowTable({ window }: ModelReport): string {
  const rows = window.map(
    (result, at) =>
      `<tr><th scope="row" class="n">${at + 1}</th>${cell(result === null ? 'miss' : result.toFixed(1))}</tr>`,
  )
  return table('The last results that count, oldest first', ['result', 'tokens/s'], rows)
}

function trendTable({ trend }: ModelReport): string {
  const rows = trend.map(({ at, verified, failed, meanTokensPerSecond }) => {
    const mean = verified > 0 ? meanTokensPerSecond.toFixed(1) : undefined
    return `<tr><th scope="row">${escapeText(inUtc(at))}</th>${cell(verified)}${cell(failed)}${cell(mean)}</tr>`
  })
  return table('Hours with results', ['hour', 'verified', 'failed', 'mean tokens/s'], rows)
}

function percentiles({ tokensPerSecond, timeToFirstTokenMs }: ModelReport): string {
  const spreads = [
    ['tokens/s', tokensPerSecond, 1],
    ['time to first token, ms', timeToFirstTokenMs, 0],
  ] as const
  const rows = spreads.map(([what, spread, digits]) => {
    const cells = [spread?.p5, spread?.p50, spread?.p95].map((value) => cell(value?.toFixed(digits)))
    return `<tr><th scope="row">${what}</th>${cells.join('')}</tr>`
  })
  return table('Percentiles of verified answers', ['measure', 'p5', 'p50', 'p95'], rows)
}

function failures({ lastFailures }: ModelReport): string {
  const rows = lastFailures.map(
    ({ at, block, cause, detail, tokens }) =>
      `<tr><th scope="row">${escapeText(inUtc(at))}</th>${cell(block)}<td class="bad">${escapeText(cause)}</td>${cell(tokens)}<td>${escapeText(detail)}</td></tr>`,
  )
  return table('Last failures', ['at', 'block', 'cause', 'tokens', 'detail'], rows)
}
