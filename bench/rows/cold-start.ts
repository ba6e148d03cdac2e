import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Bench, median, type Row } from '../row.js'

const ROUNDS = 15
const run = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const MUST = 3
const FIRST_CLASS = 2.4

/** Interleaved, so that a busy machine affects all alike. */
export const bench: Bench = {
  name: 'cold-start',
  summary: `start of light commands compared with bare node, median of ${ROUNDS}`,
  async run(): Promise<Row[]> {
    const variants = {
      'node -e ""': ['-e', ''],
      'targon --version': [run, '--version'],
      'targon --help': [run, '--help'],
      'targon query --help': [run, 'query', '--help'],
    }
    const times = Object.fromEntries(Object.keys(variants).map((name) => [name, [] as number[]]))
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, args] of Object.entries(variants)) {
        const start = performance.now()
        execFileSync(process.execPath, args, { stdio: 'ignore' })
        times[name]?.push(performance.now() - start)
      }
    }
    const bare = median(times['node -e ""'] ?? [])
    return Object.entries(times).map(([name, values]): Row => {
      const value = median(values)
      const ratio = value / bare
      if (name.startsWith('node')) return { name, value, unit: 'ms' }
      if (name.includes('query')) return { name, value, unit: 'ms', ratio: { to: 'bare node', value: ratio } }
      const reached = ratio <= FIRST_CLASS ? 'first class' : ratio <= MUST ? 'must' : 'missed'
      return {
        name,
        value,
        unit: 'ms',
        ratio: { to: 'bare node', value: ratio },
        goal: { must: `≤ ${MUST}`, firstClass: `≤ ${FIRST_CLASS}`, reached },
      }
    })
  },
}
