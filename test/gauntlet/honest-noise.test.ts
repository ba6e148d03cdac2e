import { expect, it } from 'vitest'
import type { SamplingDefaults } from '../../src/engine/index.js'
import { judgeStrict } from '../../src/verification/index.js'
import { HONEST_NOISE, simulateAnswer } from '../support/simulated-answer.js'
import { GAUNTLET_SCALE } from './scale.js'
import { startTally } from './tally.js'

const COUNT = Math.max(100, Math.round(5_000 * GAUNTLET_SCALE))
const NOISES = Object.entries(HONEST_NOISE)
const TEMPERATURES = [0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.3]
const LENGTHS = [12, 40, 96, 192, 512, 1900]
const CUTS: readonly (SamplingDefaults | undefined)[] = [
  undefined,
  { topP: 0.9 },
  { topP: 0.8, topK: 20 },
  { topP: 0.95, topK: 50 },
  { topP: 0.7, topK: 10, minP: 0.05 },
  { topP: 0.5 },
  { topK: 1 },
]

function pick<T>(items: readonly T[], index: number): T {
  const item = items[index % items.length]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

it(`fails none of ${COUNT} honest answers, for any noise, temperature, length, report and truncation`, ({
  task,
}) => {
  const tally = startTally(task, { fault: 'F28', kind: 'honest answers with noise', full: 5000 })
  const failures: string[] = []
  for (let index = 0; index < COUNT; index++) {
    const [name, noise] = pick(NOISES, index)
    const temperature = pick(TEMPERATURES, Math.floor(index / 4))
    const cut = CUTS[Math.floor(index / 36) % CUTS.length]
    const report = index % 3 === 0 ? 'raw' : 'processed'
    const tokens = pick(LENGTHS, Math.floor(index / 5))
    const options = { temperature, tokens, noise, report, ...(cut ? { cut } : {}) } as const
    const verdict = judgeStrict(simulateAnswer(`honest ${index}`, options))
    if (verdict.kind === 'verified') tally.count++
    else
      failures.push(
        `${index} ${name} T=${temperature} ${report} ${JSON.stringify(cut)}: ${JSON.stringify(verdict)}`,
      )
  }
  expect(failures).toEqual([])
}, 3_600_000)
