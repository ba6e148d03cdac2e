import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import type { Bench, Row } from './row.js'

/**
 * `npm run bench [-- name… [--only text…] [--rounds n] [--requests n] [--soak n]]`: runs the named benchmarks, or all; with
 * --only, just the parts whose name contains one of the texts. Prints a table and writes bench/results/<time>.json.
 */
const { positionals: names, values, parseError } = readArguments()
const selection = {
  includes: (part: string) => values.only === undefined || values.only.some((text) => part.includes(text)),
  rounds: Number(values.rounds ?? 3),
  requests: values.requests === undefined ? undefined : Number(values.requests),
  soak: values.soak === undefined ? undefined : Number(values.soak),
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
  (['rounds', 'requests', 'soak'] as const)
    .filter((name) => !isCount(selection[name] ?? 1))
    .map((name) => `--${name} must be a positive whole number.`)[0]
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
      Number.isNaN(row.value) ? row.unit : `${round(row.value)} ${row.unit}`,
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
  readonly values: {
    readonly only?: string[]
    readonly rounds?: string
    readonly requests?: string
    readonly soak?: string
    readonly help?: boolean
  }
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
        requests: { type: 'string' },
        soak: { type: 'string' },
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
    'npm run bench [-- name… [--only text…] [--rounds n] [--requests n] [--soak n]]',
    '',
    'Runs the named benchmarks, or all. --only restricts the parts to those whose name contains the text.',
    '--requests sets how many requests one measurement beside other programs has. --soak watches the memory of the hub over n requests.',
    'Programs to compare with are looked for in the folder TARGON_BENCH_PEERS_DIR and on PATH.',
    '',
    ...benches.map((bench) => `  ${bench.name.padEnd(width)}  ${bench.summary}`),
  ].join('\n')
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value > 0
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
