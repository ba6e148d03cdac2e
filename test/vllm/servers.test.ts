import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { MeasuredNoise } from '../../src/evidence/index.js'
import { calibrate } from './calibrate.js'
import { CHEATING, HONEST } from './configurations.js'
import { prepareOldVllm, type VllmEnvironment } from './environment.js'
import type { FieldAnswer } from './field.js'
import { gather } from './gather.js'
import { recordAnswers } from './results.js'
import { startVllm, type VllmServer } from './server.js'

// One vLLM is the validator's engine, another one is the miner's. The V1 runner, which vLLM uses on a CPU, samples with torch's
// generator: no dialect of the seeded sampler fits, and the evidence has the other four statistics. The V2 runner, which GPUs
// use, runs by Triton's interpreter; its sampler noise is a function of seed, position and token id. The engine has the V1
// runner, which differs only in its sampler. Answers are kept in the cache, so a second run asks only for those that are missing.
const vllm = inject('vllm')

let engine: VllmServer | undefined
let noise: MeasuredNoise

describe.skipIf(typeof vllm === 'string')('a real vLLM', { timeout: 3_600_000 }, () => {
  beforeAll(async () => {
    noise = await calibrate(environment(), reference)
  }, 3_600_000)
  afterAll(() => engine?.close())

  it.for(HONEST)('clears an honest server: $name', async (configuration, { skip }) => {
    const old = configuration.runner === 'v0' ? await prepareOldVllm(environment()) : undefined
    if (typeof old === 'string') skip(old)
    const answers = await gather(environment(), configuration, reference)
    const { finding, seeded } = recordAnswers(configuration, answers, noise)
    expect(failuresOf(answers)).toEqual([])
    expect(finding).toMatchObject({ alarms: 0 })
    const isSame = !configuration.flags && configuration.runner !== 'v0'
    if (isSame) expect(finding.standing.level).toBe('clean')
    if (configuration.runner === 'v2') {
      expect(seeded.dialect).toBe('murmur3')
      expect(seeded.synchrony.no ?? 0).toBe(0)
      expect(seeded.mismatches).toBeLessThanOrEqual(isSame ? 0 : 2 + 0.01 * seeded.tokens)
    }
  })

  it.each(CHEATING)('weighs the answers of another model: $name', async (configuration) => {
    const answers = await gather(environment(), configuration, reference)
    const { finding, seeded } = recordAnswers(configuration, answers, noise)
    const { weights, runner } = configuration
    if (weights === 'pruned') expect(finding.alarm).toBeDefined()
    if (weights === 'int4') expect(finding.suspicion).toBeDefined()
    if (runner === 'v2') expect(seeded.mismatches).toBeLessThanOrEqual(2 + 0.05 * seeded.tokens)
  })
})

function environment(): VllmEnvironment {
  if (typeof vllm === 'string') throw new Error(vllm)
  return vllm
}

/** The validator's engine; started when it is first needed, and again when it has ended. */
async function reference(): Promise<VllmServer> {
  if (engine?.hasEnded()) {
    await engine.close()
    engine = undefined
  }
  engine ??= await startVllm(environment(), { weights: 'honest', runner: 'v1' })
  return engine
}

function failuresOf(answers: readonly FieldAnswer[]) {
  return answers.map(({ verdict }) => verdict).filter(({ kind }) => kind !== 'verified')
}
