import type { EvidenceReport, ModelReport } from '../../../history/index.js'
import { describeRange, STATISTIC_NAMES } from './report-evidence.js'
import { cell, escapeText, plot, table } from './report-page-html.js'
import { inUtc } from './report-times.js'

/** What the answers show together: the sentence for the miner's operator, the wealth over time and each estimate. */
export function describeEvidence({ evidence }: ModelReport, place: string): string {
  if (!evidence) return ''
  return `<h3>Evidence over many answers</h3>
<p${evidence.level === 'barred' ? ' class="bad"' : ''}>${escapeText(evidence.sentence)}</p>
<p class="quiet">${escapeText(factsOf(evidence))}</p>
<div class="plots">${plot('wealth', place, 'Evidence against the miner, by powers of ten, in UTC', wealthTable(evidence))}</div>
${statisticsTable(evidence)}`
}

function factsOf({ level, enforces, threshold, dialect, answers, tokens }: EvidenceReport): string {
  const consequence = enforces ? 'scores the miner 0 for this model' : 'changes no score here'
  const seeds =
    dialect === null ? 'follows no known way of drawing by seeds' : `draws by seeds as ${dialect} does`
  return `State: ${level}. ${Math.round(answers)} answers, ${Math.round(tokens)} tokens. Evidence of 10^${threshold.toFixed(1)} accuses, which ${consequence}. The server ${seeds}.`
}

function wealthTable({ points }: EvidenceReport): string {
  const rows = points.map(
    ({ at, level, suspicion, enforced }) =>
      `<tr><th scope="row">${escapeText(inUtc(at))}</th>${cell(enforced.toFixed(2))}${cell(suspicion.toFixed(2))}<td>${escapeText(level)}</td></tr>`,
  )
  const head = ['at', 'beyond other hardware, log10', 'beyond the own engine, log10', 'state']
  return table('Evidence over time', head, rows)
}

function statisticsTable({ statistics }: EvidenceReport): string {
  const rows = statistics.map(({ statistic, estimate, honest, enforced, suspicion, tokens }) => {
    const isOutside = estimate && honest && (estimate.low > honest.high || estimate.high < honest.low)
    return `<tr><th scope="row">${escapeText(STATISTIC_NAMES[statistic] ?? statistic)}</th>${cell(estimate?.value.toFixed(3), isOutside ? 'n bad' : 'n')}${cell(describeRange(estimate))}${cell(describeRange(honest))}${cell(enforced.toFixed(2))}${cell(suspicion.toFixed(2))}${cell(Math.round(tokens))}</tr>`
  })
  const head = ['statistic', 'estimate', 'between', 'honest servers', 'log10', 'own engine, log10', 'tokens']
  return table('What recent answers look like', head, rows)
}
