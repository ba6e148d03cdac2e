import { basename } from 'node:path'
import { z } from 'zod'

const tally = z.object({
  fault: z.string().regex(/^F\d+$/),
  kind: z.string(),
  full: z.number(),
  count: z.number(),
  seed: z.number().optional(),
})

/** What is read of a JSON report of vitest. Times are in milliseconds. */
export const report = z.object({
  startTime: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          duration: z.number().nullish(),
          meta: z.object({ gauntlet: tally.optional() }),
        }),
      ),
    }),
  ),
})

export type Report = z.infer<typeof report>
type FileResult = Report['testResults'][number]

/** One line of the table: all tests of a file that do the same. */
interface Row {
  readonly file: string
  readonly fault: string
  readonly kind: string
  readonly seed: number | undefined
  full: number
  count: number
  failures: number
  minutes: number
}

const nameOf = ({ name }: FileResult) => basename(name, '.test.ts')
const hasRun = ({ status }: { readonly status: string }) => status === 'passed' || status === 'failed'
const numberOf = ({ fault }: Row) => Number(fault.slice(1))

/** @param files names of all test files of the gauntlet. Of a file in several reports the last one counts. */
export function renderResults(reports: readonly Report[], files: readonly string[]): string {
  const results = new Map(
    reports.flatMap(({ testResults }) => testResults.map((result) => [nameOf(result), result])),
  )
  const rows = [...results.values()].flatMap(rowsOf)
  rows.sort((a, b) => numberOf(a) - numberOf(b) || (a.file < b.file ? -1 : 1))
  const skipped = [...results.values()].flatMap((result) =>
    result.assertionResults
      .filter(({ status }) => status === 'skipped')
      .map(({ fullName }) => `- \`${nameOf(result)}\`: ${fullName}`),
  )
  const failedOtherwise = [...results.values()].flatMap((result) =>
    result.assertionResults
      .filter(({ status, meta }) => status === 'failed' && !meta.gauntlet)
      .map(({ fullName }) => `- \`${nameOf(result)}\`: ${fullName}`),
  )
  const missing = files.filter((file) => !results.get(file)?.assertionResults.some(hasRun))
  return [
    `${daysOf(reports)}:`,
    '',
    '| | kind | count | failures | seed | minutes | file |',
    '|---|---|---|---|---|---|---|',
    ...rows.map(lineOf),
    ...listOf('Controls that failed:', failedOtherwise),
    ...listOf('Skipped:', skipped),
    '',
    missing.length === 0
      ? 'Every file was run.'
      : `Not run at full counts: ${missing.map((file) => `\`${file}\``).join(', ')}.`,
  ].join('\n')
}

function rowsOf(result: FileResult): Row[] {
  const rows = new Map<string, Row>()
  for (const { status, duration, meta } of result.assertionResults) {
    if (!meta.gauntlet) continue
    const { fault, kind, full, count, seed } = meta.gauntlet
    const row: Row = rows.get(`${fault} ${kind}`) ?? {
      ...{ file: nameOf(result), fault, kind, seed, full: 0, count: 0, failures: 0, minutes: 0 },
    }
    row.full += full
    row.count += count
    row.failures += status === 'passed' ? 0 : 1
    row.minutes += (duration ?? 0) / 60_000
    rows.set(`${fault} ${kind}`, row)
  }
  return [...rows.values()]
}

function lineOf({ fault, kind, count, full, failures, seed, minutes, file }: Row): string {
  const done = count < full ? `${grouped(count)} of ${grouped(full)}` : grouped(count)
  const cells = [fault, kind, done, failures, seed ?? 'none', minutes.toFixed(1), `\`${file}\``]
  return `| ${cells.join(' | ')} |`
}

function listOf(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, '', ...lines]
}

function daysOf(reports: readonly Report[]): string {
  const days = reports.map(({ startTime }) => new Date(startTime).toISOString().slice(0, 10))
  return `Run on ${[...new Set(days)].sort().join(', ')}`
}

function grouped(count: number): string {
  return count.toLocaleString('en-US')
}
