import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { drawFalseAlarms, drawPower, drawWealth } from './figures.js'
import { type EvidenceResults, type PowerResult, readResults } from './results.js'

const docs = new URL('../../docs/', import.meta.url)

/** Draws the figures, and fills in the tables of docs/evidence.md between their markers. */
export function writeEvidencePage(): void {
  const results = readResults()
  mkdirSync(new URL('evidence/', docs), { recursive: true })
  const figures = {
    'wealth.svg': drawWealth(results),
    'power.svg': drawPower(results),
    'false-alarms.svg': drawFalseAlarms(results),
  }
  for (const [name, picture] of Object.entries(figures))
    writeFileSync(new URL(`evidence/${name}`, docs), picture)
  const page = new URL('evidence.md', docs)
  writeFileSync(page, fillTables(readFileSync(page, 'utf8'), results))
}

/** The page with the tables of these results. */
export function fillTables(page: string, results: EvidenceResults): string {
  const tables = { honest: honestTable(results), power: powerTable(results) }
  return Object.entries(tables).reduce(
    (text, [name, table]) =>
      text.replace(
        new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- ${name}stop -->)`),
        (_, start: string, stop: string) => `${start}${table}\n${stop}`,
      ),
    page,
  )
}

function honestTable({ honest, loose }: EvidenceResults): string {
  const sum = (of: (one: EvidenceResults['honest'][number]) => number) =>
    honest.reduce((total, one) => total + of(one), 0)
  const inMonths = (one: EvidenceResults['honest'][number], level: 'suspicion' | 'enforced') =>
    one.months[level][2 * loose.threshold] ?? 0
  const rows = honest.map((one) => [
    ...[one.name, count(one.answers), String(one.alarms), String(one.suspicions)],
    ...[`10^${one.most.enforced.toFixed(1)}`, `10^${one.most.suspicion.toFixed(1)}`],
    ...[`${inMonths(one, 'enforced')}, ${inMonths(one, 'suspicion')} of ${count(one.months.count)}`],
  ])
  const total = [
    ...['**all**', `**${count(sum(({ answers }) => answers))}**`],
    ...[`**${sum(({ alarms }) => alarms)}**`, `**${sum(({ suspicions }) => suspicions)}**`, '', ''],
    `**${sum((one) => inMonths(one, 'enforced'))}, ${sum((one) => inMonths(one, 'suspicion'))} of ${count(sum(({ months }) => months.count))}**`,
  ]
  const head = [
    ...['honest server', 'answers', 'alarms', 'suspicions', 'most evidence, enforced', 'most, suspicion'],
    `months of ${loose.answersPerMonth} answers over a budget of 1 %: alarm, suspicion`,
  ]
  return table(head, [...rows, total])
}

function powerTable({ power }: EvidenceResults): string {
  const rows = power.map((one) => [
    ...[one.name, one.goal === undefined ? '' : count(one.goal)],
    ...[tokens(one.suspicion.median, one.limit), tokens(one.suspicion.p90, one.limit)],
    ...[tokens(one.alarm.median, one.limit), tokens(one.alarm.p90, one.limit)],
    ...[causes(one), verdict(one)],
  ])
  const head = [
    ...['cheat', 'goal', 'suspicion, median', 'p90', 'alarm, median', 'p90', 'caught by', 'goal reached by'],
  ]
  return table(head, rows)
}

function causes({ causes }: PowerResult): string {
  return Object.entries(causes)
    .sort(([, a], [, b]) => b - a)
    .map(([statistic]) => statistic)
    .join(', ')
}

function verdict({ goal, suspicion, alarm }: PowerResult): string {
  if (goal === undefined) return ''
  const within = (value: number | null) => value !== null && value <= goal
  if (within(alarm.p90)) return 'alarm'
  if (within(alarm.median)) return 'alarm, by the median'
  if (within(suspicion.p90)) return 'suspicion'
  return within(suspicion.median) ? 'suspicion, by the median' : 'no'
}

function tokens(value: number | null, limit: number): string {
  return value === null ? `> ${count(limit)}` : count(value)
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |').replaceAll('|  |', '| |')
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
