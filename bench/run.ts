import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import type { Bench, Row } from './row.js'

/**
 * `npm run bench [-- name… [--only text…] [--rounds n]]`: runs the benchmarks named (all without names), of those that have
 * parts only the parts whose name contains one of the texts, prints a table, writes bench/results/<time>.json.
 */
const { positionals: wanted, values } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', multiple: true }, rounds: { type: 'string' } },
})
const order = {
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
const unknown = wanted.filter((name) => !benches.some((bench) => bench.name === name))
if (unknown.length > 0) {
  console.error(
    `No benchmark named ${unknown.join(', ')}. There are: ${benches.map((bench) => bench.name).join(', ')}.`,
  )
  process.exit(2)
}
const results: { bench: string; rows: Row[] }[] = []
for (const bench of benches.filter((candidate) => wanted.length === 0 || wanted.includes(candidate.name))) {
  console.error(`${bench.name}: ${bench.summary}`)
  const rows = await bench.run(order)
  results.push({ bench: bench.name, rows })
  const table = new Table({
    head: ['what', 'value', 'ratio', 'goal', 'reached'],
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
console.error(`written: ${target.pathname}`)
process.exit(0)

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

function ratioText(row: Row): string {
  return row.ratio ? `${row.ratio.value.toFixed(2)} × ${row.ratio.to}` : ''
}

function goalText(row: Row): string {
  return row.goal ? [row.goal.must, row.goal.firstClass].filter(Boolean).join(' / ') : ''
}
