import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { soakMiner } from './miner-part.js'
import type { PartResult, SoakOptions } from './part.js'
import { soakValidator } from './validator-part.js'

/**
 * `npm run soak [-- --scale x] [--only miner|validator] [--minutes n] [--plant bytes]`: prints a table per part and writes
 * bench/results/soak-<time>.json. Exit status 1 when a figure grows.
 */
const USAGE = `npm run soak [-- --scale x] [--only miner|validator] [--minutes n] [--plant bytes]

--scale    share of the full counts, 1 by default
--only     one part
--minutes  after which a part ends early, 9 by default
--plant    bytes that the process under test keeps of each request or answer, to see that the soak finds it`
const PARTS: Readonly<Record<string, (options: SoakOptions) => Promise<PartResult>>> = {
  miner: soakMiner,
  validator: soakValidator,
}

const { only, ...options } = readArguments()
const results: PartResult[] = []
for (const [name, soak] of Object.entries(PARTS)) {
  if (only !== undefined && only !== name) continue
  const result = await soak(options)
  results.push(result)
  print(result)
}
const folder = new URL('../results/', import.meta.url)
await mkdir(folder, { recursive: true })
const target = new URL(`soak-${new Date().toISOString().replaceAll(':', '-')}.json`, folder)
const machine = { node: process.version, cpu: cpus()[0]?.model ?? '', cores: cpus().length }
await writeFile(target, `${JSON.stringify({ machine, options, results }, null, 2)}\n`)
console.error(`results written to ${target.pathname}`)
const growing = results.flatMap(({ part, figures }) =>
  figures.filter(({ isLevel }) => !isLevel).map(({ figure }) => `${part}: ${figure}`),
)
for (const one of growing) console.error(`grows with the work: ${one}`)
process.exit(growing.length > 0 ? 1 : 0)

function readArguments(): SoakOptions & { readonly only: string | undefined } {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string' },
        scale: { type: 'string', default: '1' },
        minutes: { type: 'string', default: '9' },
        plant: { type: 'string', default: '0' },
      },
    })
    const { only: part } = values
    if (part !== undefined && !(part in PARTS)) throw new TypeError(`No part named ${part}.`)
    const [scale, minutes, plant] = [Number(values.scale), Number(values.minutes), Number(values.plant)]
    if (!(scale > 0) || !(minutes > 0)) throw new TypeError('--scale and --minutes must be positive numbers.')
    if (!Number.isInteger(plant) || plant < 0) throw new TypeError('--plant must be a whole number of bytes.')
    return { only: part, scale, minutes, plant }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    console.error(`${error.message}\n\n${USAGE}`)
    process.exit(2)
  }
}

function print({ part, unit, work, done, planned, seconds, figures, counts }: PartResult): void {
  const early = done < planned ? ` of ${planned}: its time was over` : ''
  console.log(`${part}: ${done} ${unit}${early}, ${seconds.toFixed(0)} s`)
  for (const [kind, answers] of Object.entries(counts)) {
    const parts = Object.entries(answers).map(([how, count]) => `${count} ${how}`)
    console.log(`  ${kind}: ${parts.join(', ')}`)
  }
  const table = new Table({
    head: ['figure', 'after warm-up', 'at the end', `slope per ${work}`, '99 % interval', 'allowed', ''],
    style: { head: [], border: [] },
  })
  for (const { figure, first, last, slope, low, high, most, isLevel } of figures)
    table.push([
      ...[figure, short(first), short(last), short(slope), `${short(low)} … ${short(high)}`, short(most)],
      isLevel ? 'level' : 'grows',
    ])
  console.log(table.toString())
}

function short(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(3)
}
