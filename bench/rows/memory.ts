import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Bench, Row } from '../row.js'

const run = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const SECONDS = 100
const GOAL_MB = 260

/** Memory of a validator within a localnet; Linux only, as `ps` shows it, shared pages of files included. */
export const bench: Bench = {
  name: 'memory',
  summary: `resident memory of a validator of a localnet, ${SECONDS} s after it was ready`,
  async run(): Promise<Row[]> {
    const withHistory = await residentMb('--history')
    const without = await residentMb('--no-history')
    return [
      {
        name: 'validator with a history',
        value: withHistory,
        unit: 'MB',
        ratio: { to: 'without a history', value: withHistory / without },
        goal: { must: `≤ ${GOAL_MB} MB`, reached: withHistory <= GOAL_MB ? 'must' : 'missed' },
      },
      { name: 'validator without a history', value: without, unit: 'MB' },
    ]
  },
}

/** The median of the last half of the samples, one per second. */
async function residentMb(...flags: string[]): Promise<number> {
  const child = spawn(
    process.execPath,
    [run, 'validator', 'start', '--mock', '--metrics.port', '0', ...flags],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const exited = once(child, 'exit')
  await readyOf(child)
  const samples: number[] = []
  for (let second = 0; second < SECONDS; second++) {
    await new Promise((resolve) => setTimeout(resolve, 1000))
    samples.push(await residentNow(child.pid ?? 0))
  }
  child.kill('SIGINT')
  await exited
  const last = samples.slice(SECONDS / 2).sort((a, b) => a - b)
  return last[last.length >> 1] ?? Number.NaN
}

/** Resolves at the log event `ready`, and goes on reading the log. */
async function readyOf(child: ChildProcess): Promise<void> {
  if (!child.stderr) throw new Error('the validator has no standard error')
  const lines = createInterface({ input: child.stderr })
  let last = ''
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      last = line
      if (line.includes('"event":"ready"')) resolve()
    })
    child.once('exit', (code) => reject(new Error(`the validator exited with status ${code}: ${last}`)))
  })
}

async function residentNow(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return (Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024) / 1e6
}
