import type { EvidenceReport, ModelReport } from '../../../history/index.js'

/** Lays cells out in columns; `right` has the indexes of right-aligned ones. */
export type FormatTable = (cells: readonly (readonly string[])[], right?: readonly number[]) => string

/** What each statistic estimates, with its unit. */
export const STATISTIC_NAMES: Readonly<Record<string, string>> = {
  seeded: 'S noise of sampled tokens, nats',
  greedy: 'G noise of greedy tokens, nats',
  residual: 'R error of stated log probabilities, nats',
  temperature: 'T temperature served / asked',
  surprise: 'E surprise of tokens, nats more than expected',
}

export function describeRange(range: { readonly low: number; readonly high: number } | undefined): string {
  return range ? `${range.low.toFixed(3)} to ${range.high.toFixed(3)}` : '-'
}

/** The evidence on one miner and model for a terminal; empty without any. */
export function evidenceText({ evidence }: Pick<ModelReport, 'evidence'>, formatTable: FormatTable): string {
  if (!evidence) return ''
  const { level, enforces, threshold, dialect, answers, tokens, sentence } = evidence
  const facts = [
    ['state', `${level}${enforces ? '' : ', not enforced'}`],
    ['log10 of the evidence', wealthOf(evidence)],
    ['accuses at', threshold.toFixed(1)],
    ['seeds', dialect ?? 'no dialect fits'],
    ['answers, tokens', `${Math.round(answers)}, ${Math.round(tokens)}`],
  ]
  const head = ['statistic', 'estimate', 'between', 'honest servers', 'log10', 'tokens']
  const rows = evidence.statistics.map(({ statistic, estimate, honest, enforced, tokens: own }) => [
    ...[STATISTIC_NAMES[statistic] ?? statistic, estimate ? estimate.value.toFixed(3) : '-'],
    ...[describeRange(estimate), describeRange(honest), enforced.toFixed(1), String(Math.round(own))],
  ])
  return `\nevidence\n${sentence}\n${formatTable(facts)}\n${formatTable([head, ...rows], [1, 2, 3, 4, 5])}`
}

const POINTS = 8

/** The newest wealth and what it was before, oldest first. */
function wealthOf({ points }: EvidenceReport): string {
  const step = Math.max(1, Math.ceil(points.length / POINTS))
  return points
    .filter((_, index) => (points.length - 1 - index) % step === 0)
    .map(({ enforced }) => enforced.toFixed(1))
    .join(' → ')
}
