import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { type CalibrationState, calibrationFacts, writeCalibration } from '../calibration/index.js'
import { type ExplainedReport, escapeTexts } from './explained.js'
import { cell, escapeText, table } from './report-page-html.js'
import { describeMiner } from './report-page-miner.js'
import { PAGE_SCRIPT, PAGE_STYLE } from './report-page-parts.js'
import { describePeriod, fillHours } from './report-times.js'
import type { ReportRow } from './rows.js'

/** With at most this many miners their details are open at first; plots are drawn when details are open. */
const OPEN_MINERS = 3

/**
 * A self-contained page: it includes plots (uPlot), data and style, and its policy forbids the browser to load anything
 * else. Text of miners is escaped. Every plot has a table with its numbers; times are in UTC.
 */
export async function writePage(document: ExplainedReport): Promise<string> {
  const report = escapeTexts(document)
  const find = createRequire(import.meta.url).resolve
  const [plots, plotStyle] = await Promise.all([
    readFile(find('uplot/dist/uPlot.iife.min.js'), 'utf8'),
    readFile(find('uplot/dist/uPlot.min.css'), 'utf8'),
  ])
  const [first] = report.miners
  const title =
    report.miners.length === 1 && first
      ? `Miner ${first.uid}: why it has its score`
      : 'Why miners have their scores'
  const isOpen = report.miners.length <= OPEN_MINERS
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>${escapeText(title)}</title>
<style>${plotStyle}${PAGE_STYLE}</style>
</head>
<body>
<main>
<h1>${escapeText(title)}</h1>
<p class="quiet">${escapeText(lead(report))}</p>
${calibrations(report)}
${overview(report)}
${report.miners.map((miner, index) => describeMiner(miner, report, index, isOpen)).join('\n')}
</main>
<script type="application/json" id="data">${dataOf(report)}</script>
<script>${plots}</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`
}

/** What the plots draw: missing hours are there without results, so that no line passes over them. */
function dataOf({ miners }: ExplainedReport): string {
  const plotted = miners.map(({ models }) =>
    models.map(({ window, trend, evidence }) => ({
      window,
      ...(evidence && { evidence: { threshold: evidence.threshold, points: evidence.points } }),
      trend: fillHours(trend, Number.POSITIVE_INFINITY).map(
        ({ at, hour }) => hour ?? { at, verified: 0, failed: 0, meanTokensPerSecond: 0 },
      ),
    })),
  )
  return JSON.stringify(plotted).replaceAll('<', '\\u003c')
}

function lead(report: ExplainedReport): string {
  const { validator } = report
  const now = validator
    ? ` Validator uid ${validator.uid} is at block ${validator.block}, epoch ${validator.epoch.index}; weights are due at block ${validator.epoch.nextBlock}.`
    : ''
  return `${describePeriod(report)}${now} Times are in UTC.`
}

function calibrations({ validator }: ExplainedReport): string {
  return (validator?.calibrations ?? []).map(calibration).join('\n')
}

function calibration(state: CalibrationState): string {
  const rows = calibrationFacts(state).map(
    ([name = '', value = '']) =>
      `<tr><th scope="row">${escapeText(name)}</th><td>${escapeText(value)}</td></tr>`,
  )
  const details =
    rows.length > 0
      ? `<details><summary>How ${escapeText(state.model)} was calibrated</summary>${table(`Calibration of ${state.model}`, ['what', 'measured'], rows)}</details>`
      : ''
  return `<p class="quiet">${escapeText(writeCalibration(state))}</p>${details}`
}

const HEAD = [
  'uid',
  'score',
  'weight',
  'verified',
  'failed',
  'no verdict',
  'tokens/s (p50)',
  'model',
  'hotkey',
]

function overview({ rows, miners }: ExplainedReport): string {
  const places = new Map(miners.map(({ hotkey }, index) => [hotkey, index]))
  const fastest = Math.max(1, ...rows.map(medianOf))
  const lines = rows.map((row) => {
    const cells = [
      `<th scope="row" class="n"><a href="#m${places.get(row.hotkey) ?? 0}">${row.uid}</a></th>`,
      cell(row.score?.toFixed(3)),
      cell(row.weightU16),
      cell(row.verified),
      cell(row.failed, row.failed > 0 ? 'n bad' : 'n'),
      cell(row.inconclusive),
      row.tokensPerSecond ? speedCell(medianOf(row), fastest) : cell(undefined),
      `<td>${escapeText(row.model || '–')}</td>`,
      `<td title="${escapeText(row.hotkey)}">${escapeText(shorten(row.hotkey))}</td>`,
    ]
    return `<tr>${cells.join('')}</tr>`
  })
  return table('Miners and models, highest score first', HEAD, lines)
}

function speedCell(median: number, fastest: number): string {
  const value = median.toFixed(1)
  return `<td class="n">${value} <meter aria-label="${value} tokens per second, of ${fastest.toFixed(1)} at most" min="0" max="${fastest.toFixed(2)}" value="${median.toFixed(2)}"></meter></td>`
}

function medianOf({ tokensPerSecond }: ReportRow): number {
  return tokensPerSecond?.p50 ?? 0
}

function shorten(hotkey: string): string {
  return hotkey.length > 14 ? `${hotkey.slice(0, 6)}…${hotkey.slice(-6)}` : hotkey
}
