import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Bench, Row } from '../row.js'

const run = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const GOAL_SECONDS = 60

/** Moments of a localnet's start, each with the progress line that reports it. */
const MOMENTS: readonly [name: string, line: RegExp][] = [
  ['chain and engines ready', /engines up$/],
  ['miners ready', /miners ready$/],
  ['validator ready', /^validator ready$/],
  ['first verdict on the board', / (verified|failed)/],
]

export const bench: Bench = {
  name: 'localnet',
  summary: 'time from `npm start` to the first verdict',
  async run(): Promise<Row[]> {
    const start = performance.now()
    const child = spawn(process.execPath, [run, 'localnet', '--epochs', '1'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const seconds = new Map<string, number>()
    for await (const line of createInterface({ input: child.stderr })) {
      for (const [name, pattern] of MOMENTS) {
        if (!seconds.has(name) && pattern.test(line)) seconds.set(name, (performance.now() - start) / 1000)
      }
      if (seconds.size === MOMENTS.length) break
    }
    const exited = once(child, 'exit')
    child.kill('SIGINT')
    await exited
    return MOMENTS.map(([name]): Row => {
      const value = seconds.get(name) ?? Number.NaN
      if (!name.startsWith('first verdict')) return { name, value, unit: 's' }
      return {
        name,
        value,
        unit: 's',
        goal: { must: `≤ ${GOAL_SECONDS} s`, reached: value <= GOAL_SECONDS ? 'must' : 'missed' },
      }
    })
  },
}
