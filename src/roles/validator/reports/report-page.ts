import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { ModelReport } from '../../../history/index.js'
import {
  countFailed,
  describeFailures,
  type ExplainedMiner,
  type ExplainedReport,
  escapeTexts,
} from './explained.js'
import { PAGE_SCRIPT, PAGE_STYLE } from './report-page-parts.js'

/** With at most this many miners their details are open at first; plots are drawn when details are open. */
const OPEN_MINERS = 3

/**
 * A self-contained page: it includes plots (uPlot), data and style, and its policy forbids the browser to load anything
 * else. Text of miners is escaped.
 */
export async function writePage(document: ExplainedReport): Promise<string> {
  const report = escapeTexts(document)
  const find = createRequire(import.meta.url).resolve
  const [plots, plotStyle] = await Promise.all([
    readFile(find('uplot/dist/uPlot.iife.min.js'), 'utf8'),
    readFile(find('uplot/dist/uPlot.min.css'), 'utf8'),
  ])
  const title =
    report.miners.length === 1 && report.miners[0]
      ? `Miner ${report.miners[0].uid}: why it has its score`
      : 'Why miners have their scores'
  const plotted = report.miners.map(({ models }) => models.map(({ window, trend }) => ({ window, trend })))
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
<h1>${escapeText(title)}</h1>
<p class="quiet">${escapeText(headline(report))}</p>
${overview(report)}
${report.miners.map((miner, index) => describeMiner(miner, index, report.miners.length <= OPEN_MINERS)).join('\n')}
<script type="application/json" id="data">${JSON.stringify(plotted).replaceAll('<', '\\u003c')}</script>
<script>${plots}</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`
}

const SOURCES: Record<ExplainedReport['source'], string> = {
  validator: 'reported by the running validator',
  embedded: 'read from the embedded database',
  postgres: 'read from Postgres',
}

function headline({ source, since, validator }: ExplainedReport): string {
  const now = validator
    ? `; validator uid ${validator.uid} at block ${validator.block}, epoch ${validator.epoch.index}, weights due at block ${validator.epoch.nextBlock}`
    : ''
  return `Results since ${since}, ${SOURCES[source]}${now}.`
}

function overview({ miners }: ExplainedReport): string {
  const fastest = Math.max(1, ...miners.flatMap(({ models }) => models.map(medianOf)))
  const head = [
    'uid',
    'hotkey',
    'model',
    'score',
    'weight',
    'verified',
    'failed',
    'no verdict',
    'tokens/s (p50)',
  ]
  const rows = miners.flatMap((miner, index) => {
    const models = miner.models.length > 0 ? miner.models : [undefined]
    return models.map((model) => {
      const median = model ? medianOf(model) : 0
      const cells = [
        `<td class="n"><a href="#m${index}">${miner.uid}</a></td>`,
        `<td title="${escapeText(miner.hotkey)}">${escapeText(shorten(miner.hotkey))}</td>`,
        `<td>${escapeText(model?.model ?? 'no results')}</td>`,
        number(miner.score?.toFixed(3)),
        number(miner.weightU16),
        number(model?.verdicts.verified),
        `<td class="n${model && countFailed(model) > 0 ? ' bad' : ''}">${model ? countFailed(model) : '–'}</td>`,
        number(model?.verdicts.inconclusive),
        `<td><meter min="0" max="${fastest.toFixed(2)}" value="${median.toFixed(2)}"></meter> ${median.toFixed(1)}</td>`,
      ]
      return `<tr>${cells.join('')}</tr>`
    })
  })
  return table(head, rows)
}

function describeMiner(miner: ExplainedMiner, index: number, open: boolean): string {
  const { uid, hotkey, from, to, models } = miner
  const period = from && to ? `${from} to ${to}` : 'no results in this period'
  const parts = models.map((model, place) => describeModel(model, `${index}/${place}`))
  return `<details id="m${index}"${open ? ' open' : ''}><summary>uid ${uid} <code>${escapeText(hotkey)}</code></summary>
<p class="quiet">${escapeText(period)}</p>${parts.join('')}</details>`
}

function describeModel(model: ModelReport, place: string): string {
  const { verdicts, notServing, satOut, tokensPerSecond, timeToFirstTokenMs, lastFailures } = model
  const spreads = [
    ['tokens/s', tokensPerSecond, 1],
    ['time to first token, ms', timeToFirstTokenMs, 0],
  ] as const
  const percentiles = spreads.map(([what, spread, digits]) => {
    const cells = [spread?.p5, spread?.p50, spread?.p95].map((value) => number(value?.toFixed(digits)))
    return `<tr><td>${what}</td>${cells.join('')}</tr>`
  })
  const failures = lastFailures.map(
    ({ at, block, cause, detail, tokens }) =>
      `<tr><td>${escapeText(at)}</td>${number(block)}<td class="bad">${escapeText(cause)}</td>${number(tokens)}<td>${escapeText(detail)}</td></tr>`,
  )
  return `<section><h2>${escapeText(model.model)}</h2>
<p>${verdicts.verified} verified, ${verdicts.inconclusive} without verdict, failed: ${escapeText(describeFailures(verdicts))}, did not serve it: ${notServing}, sat out: ${satOut}</p>
<div class="plots"><figure data-plot="window" data-place="${place}"><figcaption>The last results that count, oldest first</figcaption></figure>
<figure data-plot="trend" data-place="${place}"><figcaption>Trend by hour</figcaption></figure></div>
${table(['verified answers', 'p5', 'p50', 'p95'], percentiles)}
${failures.length > 0 ? `<h3>Last failures</h3>${table(['at', 'block', 'cause', 'tokens', 'detail'], failures)}` : ''}</section>`
}

function table(head: readonly string[], rows: readonly string[]): string {
  return `<div class="wide"><table><thead><tr>${head.map((name) => `<th>${name}</th>`).join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`
}

function number(value: string | number | null | undefined): string {
  return `<td class="n">${value ?? '–'}</td>`
}

function medianOf({ tokensPerSecond }: ModelReport): number {
  return tokensPerSecond?.p50 ?? 0
}

function shorten(hotkey: string): string {
  return hotkey.length > 14 ? `${hotkey.slice(0, 6)}…${hotkey.slice(-6)}` : hotkey
}

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
