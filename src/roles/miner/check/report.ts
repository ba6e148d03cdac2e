import type { Finding, MinerCheck, ModelCheck, Weight } from './types.js'

const LABELS: Readonly<Record<Weight, string>> = { fails: 'FAIL', warns: 'warn', notes: 'note' }

/**
 * A check as text: per server and model a line of numbers, then one line per finding.
 *
 * @param formatTable pads the columns of rows
 */
export function writeCheck(
  { servers, verified }: MinerCheck,
  formatTable: (rows: readonly (readonly string[])[]) => string,
): string {
  const blocks = servers.flatMap(({ server, findings, models }) => [
    ...(findings.length > 0 || models.length === 0 ? [block(server, findings, formatTable)] : []),
    ...models.map((one) => block(`${server}  ${headline(one)}`, one.findings, formatTable)),
  ])
  const last = verified
    ? 'A validator would verify everything.'
    : 'A validator would not verify everything: see FAIL.'
  return [...blocks, last].join('\n\n')
}

function block(
  title: string,
  findings: readonly Finding[],
  formatTable: (rows: readonly (readonly string[])[]) => string,
): string {
  if (findings.length === 0) return title
  const rows = findings.map(({ weight, code, seen, fix }) => [
    LABELS[weight],
    code,
    fix === undefined ? seen : `${seen} Fix: ${fix}`,
  ])
  return `${title}\n${formatTable(rows)}`
}

function headline(check: ModelCheck): string {
  const { model, comparedWith, answers, tokens, firstTokenMs, tokensPerSecond, dialect, residual } = check
  const asked = answers.verified + answers.failed + answers.notJudged
  const parts = [
    `${model}: ${answers.verified} of ${asked} answers verified (${tokens} tokens)`,
    `compared with ${comparedWith ?? 'itself'}`,
    ...(firstTokenMs === null ? [] : [`first token after ${Math.round(firstTokenMs)} ms`]),
    ...(tokensPerSecond === null ? [] : [`${tokensPerSecond.toFixed(1)} tokens/s`]),
    `sampler ${dialect ?? 'unknown'}`,
    ...(residual === null ? [] : [`noise ${residual.toFixed(4)} nats`]),
  ]
  return parts.join(', ')
}
