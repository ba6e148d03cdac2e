import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import type { Bench, Row } from './row.js'

/**
 * `npm run bench [-- name… [--only text…] [--rounds n]]`: runs the named benchmarks, or all; with --only, just the parts
 * whose name contains one of the texts. Prints a table and writes bench/results/<time>.json.
 */
const { positionals: names, values, parseError } = readArguments()
const selection = {
  includes: (part: string) => values.only === undefined || values.only.some((text) => part.includes(text)),
  rounds: Number(values.rounds ?? 3),
}
const rowsFolder = new URL('./rows/', import.meta.url)
const files = (await readdir(rowsFolder)).filter((file) => file.endsWith('.ts')).sort()
const benches: Bench[] = []
for (const file of files) {
  const { bench } = (await import(new URL(file, rowsFolder).href)) as { bench?: Bench }
  if (bench) benches.push(bench)
}
if (values.help) {
  console.log(usage())
  process.exit(0)
}
const unknown = names.filter((name) => !benches.some((bench) => bench.name === name))
const usageError =
  parseError ??
  (unknown.length > 0 ? `No benchmark named ${unknown.join(', ')}.` : undefined) ??
  (Number.isInteger(selection.rounds) && selection.rounds > 0
    ? undefined
    : '--rounds must be a positive whole number.')
if (usageError !== undefined) {
  console.error(`${usageError}\n\n${usage()}`)
  process.exit(2)
}
const results: { bench: string; rows: Row[] }[] = []
for (const bench of benches.filter((candidate) => names.length === 0 || names.includes(candidate.name))) {
  console.error(`${bench.name}: ${bench.summary}`)
  const rows = await bench.run(selection)
  results.push({ bench: bench.name, rows })
  const table = new Table({
    head: ['measured', 'value', 'ratio', 'goal', 'reached'],
    style: { head: [], border: [] },
  })
  for (const row of rows)
    table.push([
      row.name,
      `${round(row.value)} ${row.unit}`,
      ratioText(row),
      goalText(row),
      row.goal?.reached ?? '',
    ])
  console.log(table.toString())
}
const machine = { node: process.version, cpu: cpus()[0]?.model ?? '', cores: cpus().length }
const folder = new URL('./results/', import.meta.url)
await mkdir(folder, { recursive: true })
const target = new URL(`${new Date().toISOString().replaceAll(':', '-')}.json`, folder)
await writeFile(target, `${JSON.stringify({ machine, results }, null, 2)}\n`)
console.error(`results written to ${target.pathname}`)
process.exit(0)

interface Arguments {
  readonly positionals: readonly string[]
  readonly values: { readonly only?: string[]; readonly rounds?: string; readonly help?: boolean }
  /** Why the command line could not be parsed. */
  readonly parseError?: string
}

function readArguments(): Arguments {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        only: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return { positionals: [], values: {}, parseError: error.message }
  }
}

function usage(): string {
  const width = Math.max(...benches.map((bench) => bench.name.length))
  return [
    'npm run bench [-- name… [--only text…] [--rounds n]]',
    '',
    'Runs the named benchmarks, or all. --only restricts the parts to those whose name contains the text.',
    '',
    ...benches.map((bench) => `  ${bench.name.padEnd(width)}  ${bench.summary}`),
  ].join('\n')
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

function ratioText(row: Row): string {
  return row.ratio ? `${row.ratio.value.toFixed(2)} × ${row.ratio.to}` : ''
}

function goalText(row: Row): string {
  return row.goal ? [row.goal.must, row.goal.firstClass].filter(Boolean).join(' / ') : ''
}
