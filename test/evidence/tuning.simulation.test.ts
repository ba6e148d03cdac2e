import { describe, expect, it } from 'vitest'
import { alarmThreshold, DIALECTS, measureNoise, observe, type Statistic } from '../../src/evidence/index.js'
import {
  type AnswerPlan,
  calibratedLevels,
  createSimulator,
  runEvidence,
  type Server,
} from '../support/evidence-simulation/index.js'

const CALIBRATED = 0.03
const LEVELS = calibratedLevels({ noise: CALIBRATED, dialect: 'murmur3' }, 40)
const RULES = { threshold: alarmThreshold(1e-6, 10_000), cleanAnswers: 50 }
const HONEST: Server = { noise: CALIBRATED, dialect: 'murmur3' }

/** One answer in five is greedy, the others are sampled between 0.5 and 1.3. */
function answerOf(server: Server, index: number): AnswerPlan {
  return { server, temperature: index % 5 === 0 ? 0 : 0.5 + 0.1 * ((index * 7) % 9), tokens: 150 }
}

function run(plan: (index: number) => AnswerPlan, answers: number, only?: readonly Statistic[], seed = 1) {
  const simulator = createSimulator(seed)
  return runEvidence({ simulator, levels: LEVELS, rules: RULES, plan, answers, ...(only && { only }) })
}

describe('honest servers at the calibrated noise', () => {
  const servers: readonly (readonly [string, Server])[] = [
    ...DIALECTS.map((dialect) => [`dialect ${dialect}`, { ...HONEST, dialect }] as const),
    ['no dialect', { noise: CALIBRATED }],
    ['noise that stays similar within an answer', { ...HONEST, correlation: 0.9 }],
    ['half of the noise common to an answer', { ...HONEST, common: 0.5 }],
    ['some answers noisier than others', { ...HONEST, spread: 0.3 }],
    ['bfloat16', { ...HONEST, rounding: 0.125 }],
  ]
  it.each(servers)('give no alarm and no suspicion: %s', (_, server) => {
    const { alarm, suspicion, book } = run((index) => answerOf(server, index), 15)
    expect({ alarm, suspicion }).toEqual({ alarm: undefined, suspicion: undefined })
    const { dialect, unsynchronised, enforced } = book.standing('miner', 'model')
    expect(dialect).toBe(server.dialect)
    expect(unsynchronised > 0).toBe(server.dialect === undefined)
    expect(enforced).toBeLessThan(5)
  })

  it('alarm less often than a loose budget allows', () => {
    const [miners, answers, budget] = [15, 20, 0.2]
    const rules = { ...RULES, threshold: alarmThreshold(budget, answers) }
    let alarms = 0
    for (let miner = 0; miner < miners; miner++) {
      const simulator = createSimulator(100 + miner)
      const plan = (index: number) => ({ ...answerOf(HONEST, index), tokens: 40 })
      if (runEvidence({ simulator, levels: LEVELS, rules, plan, answers }).alarm) alarms++
    }
    expect(alarms / miners).toBeLessThanOrEqual(budget)
  })
})

describe('a calibration', () => {
  const observed = (server: Server, answers: number, seed: number) => {
    const simulator = createSimulator(seed)
    return Array.from({ length: answers }, (_, index) =>
      observe(simulator.answer({ server, temperature: index % 2 ? 0.8 : 0, tokens: 150 }), LEVELS, 'murmur3'),
    )
  }

  it('grants what the noisiest answers show, not what all show together', () => {
    const even = measureNoise(observed(HONEST, 30, 5))
    const uneven = measureNoise([...observed(HONEST, 30, 5), ...observed({ ...HONEST, noise: 0.4 }, 1, 6)])
    expect(even.logitScale).toBeLessThan(0.08)
    // Of all tokens together hardly more differ.
    expect(uneven.mismatches / uneven.drawn).toBeLessThan(0.02)
    expect(uneven.logitScale).toBeGreaterThan(2 * even.logitScale)
  })
})

describe('dishonest servers', () => {
  const quantised: Server = { noise: 0.3, dialect: 'murmur3' }

  it.each<[Statistic, number]>([
    ['seeded', 0.8],
    ['greedy', 0],
    ['residual', 0.8],
  ])('noise of 0.3 nats is found within 1,000 tokens by %s alone', (statistic, temperature) => {
    const plan = () => ({ server: quantised, temperature, tokens: 150 })
    const { alarm } = run(plan, 20, [statistic])
    expect(alarm?.statistic).toBe(statistic)
    expect(alarm?.tokens).toBeLessThanOrEqual(1_000)
  })

  it('a temperature of 0.7 where 0.9 was asked for is found within 1,500 tokens', () => {
    const server = { ...HONEST, temperatureFactor: 0.7 / 0.9 }
    const { alarm } = run(() => ({ server, temperature: 0.9, tokens: 150 }), 20)
    expect(alarm?.tokens).toBeLessThanOrEqual(1_500)
  })

  it('another prompt, as at a twentieth of the greedy tokens, is found within 1,000', () => {
    const server: Server = { noise: CALIBRATED, unrelated: 0.05 }
    const { alarm } = run(() => ({ server, temperature: 0, tokens: 150 }), 20, ['greedy'])
    expect(alarm?.tokens).toBeLessThanOrEqual(1_000)
  })

  it('a miner that switches to a quantised model is found as soon as one that started with it', () => {
    const before = 40
    const server = (index: number) => (index < before ? HONEST : quantised)
    const { alarm } = run((index) => answerOf(server(index), index), before + 20)
    expect(alarm?.answers).toBeGreaterThan(before)
    expect((alarm?.tokens ?? 0) - before * 150).toBeLessThanOrEqual(1_200)
  })

  it('a miner that cheats on one answer in ten is found within ten times as many tokens', () => {
    const server = (index: number) => (index % 10 === 3 ? quantised : HONEST)
    const { alarm } = run((index) => answerOf(server(index), index), 70)
    expect(alarm?.tokens).toBeLessThanOrEqual(10_000)
  })

  it('draft tokens that the model did not verify are found by the greedy answers', () => {
    const server: Server = { noise: CALIBRATED, draft: { share: 0.3, noise: 1 }, isRescored: true }
    const { alarm } = run((index) => answerOf(server, index), 50)
    expect(alarm?.statistic).toBe('greedy')
    expect(alarm?.tokens).toBeLessThanOrEqual(6_000)
  })

  it('a miner that has the true model rescore its tokens is found by the tokens', () => {
    const server: Server = { ...quantised, isRescored: true }
    const { alarm } = run((index) => answerOf(server, index), 40, ['seeded'])
    expect(alarm?.statistic).toBe('seeded')
  })
})
