import { writeCsvLine } from '../kernel/index.js'
import type { UsageRow } from './read-usage.js'

const HEAD = ['key', 'name', 'model', 'requests', 'prompt', 'completion', 'unsettled', 'total']

/** The columns of `usageTable` that are numbers. */
export const RIGHT_ALIGNED_USAGE = [3, 4, 5, 6, 7]

/** One row per key and model with the sums of all hours, under a head; the last row is the sum of all. */
export function usageTable(rows: readonly UsageRow[]): string[][] {
  const sums = new Map<string, UsageRow>()
  for (const row of rows) {
    const place = `${row.keyId} ${row.model}`
    const sum = sums.get(place)
    sums.set(place, sum ? add(sum, row) : row)
  }
  const lines = [...sums.values()].map((row) => [row.keyId, row.name, row.model, ...numbersOf(row)])
  const [first, ...others] = rows
  const all = first && others.reduce(add, first)
  return [HEAD, ...lines, ...(all ? [['all', '', '', ...numbersOf(all)]] : [])]
}

function add(sum: UsageRow, row: UsageRow): UsageRow {
  return {
    ...sum,
    requests: sum.requests + row.requests,
    promptTokens: sum.promptTokens + row.promptTokens,
    completionTokens: sum.completionTokens + row.completionTokens,
    unsettledTokens: sum.unsettledTokens + row.unsettledTokens,
  }
}

function numbersOf({ requests, promptTokens, completionTokens, unsettledTokens }: UsageRow): string[] {
  const total = promptTokens + completionTokens + unsettledTokens
  return [requests, promptTokens, completionTokens, unsettledTokens, total].map(String)
}

const COLUMNS = [
  ...['hour', 'key', 'name', 'model', 'requests'],
  ...['prompt_tokens', 'completion_tokens', 'unsettled_tokens'],
]

/** One line per hour, key and model (RFC 4180 with LF between lines); hours begin at the stated time, in UTC. */
export function usageCsv(rows: readonly UsageRow[]): string {
  const lines = rows.map((row) => [
    ...[hourOf(row), row.keyId, row.name, row.model, row.requests],
    ...[row.promptTokens, row.completionTokens, row.unsettledTokens],
  ])
  return [COLUMNS, ...lines].map(writeCsvLine).join('\n')
}

/** The rows of the document that `--json` prints. */
export function usageDocument(rows: readonly UsageRow[]) {
  return rows.map(({ hourMs, ...row }) => ({ hour: hourOf({ hourMs }), ...row }))
}

function hourOf({ hourMs }: Pick<UsageRow, 'hourMs'>): string {
  return new Date(hourMs).toISOString()
}
