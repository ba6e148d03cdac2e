import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { MeasuredNoise } from '../../src/evidence/index.js'
import { scaled } from '../gauntlet/scale.js'
import { calibrate } from './calibrate.js'
import type { VllmEnvironment } from './environment.js'
import { type Field, type FieldAnswer, makeRequests, openField } from './field.js'
import { recordAnswers } from './results.js'
import { startVllm, type VllmServer, type Weights } from './server.js'

// The runner that vLLM uses on a CPU: it samples with torch's generator, so no dialect of the seeded sampler fits, and the
// evidence has the other four statistics. One vLLM is the validator's, a second one is the miner's.
const vllm = inject('vllm')

const HONEST_ANSWERS = scaled(500, 20)
const CHEATING_ANSWERS = scaled(250, 20)
const AT_ONCE = 8

let reference: VllmServer
let honest: FieldAnswer[]
let noise: MeasuredNoise

describe.skipIf(typeof vllm === 'string')('a real vLLM, V1 runner', { timeout: 3_600_000 }, () => {
  beforeAll(async () => {
    reference = await startVllm(environment(), { weights: 'honest', runner: 'v1' })
    const field = await openField(environment(), { miner: reference, reference })
    noise = await calibrate(field.engine, scaled(60, 12)).finally(() => field.close())
    honest = await ask(reference, 'honest', HONEST_ANSWERS)
  }, 3_600_000)
  afterAll(() => reference?.close())

  it('clears an honest server of the same kind', () => {
    const finding = recordAnswers('v1-honest', honest, noise)
    expect(failuresOf(honest)).toEqual([])
    expect(finding).toMatchObject({ alarms: 0, standing: { level: 'clean' } })
  })

  it.each([
    ['float32', HONEST_ANSWERS],
    ['processed logprobs', CHEATING_ANSWERS],
  ])('clears an honest server with %s', async (kind, count) => {
    const flags = kind === 'float32' ? ['--dtype', kind] : ['--logprobs-mode', 'processed_logprobs']
    const answers = await askServer('honest', flags, `honest ${kind}`, count)
    const finding = recordAnswers(`v1-honest-${kind.replace(' ', '-')}`, answers, noise)
    expect(failuresOf(answers)).toEqual([])
    expect(finding.alarms).toBe(0)
  })

  it.each(['int4', 'int8', 'pruned'] as const)('weighs the answers of the %s model', async (weights) => {
    const answers = await askServer(weights, [], weights, CHEATING_ANSWERS)
    const finding = recordAnswers(`v1-${weights}`, answers, noise)
    if (weights === 'pruned') expect(finding.alarm).toBeDefined()
    if (weights === 'int4') expect(finding.suspicion).toBeDefined()
  })
})

function environment(): VllmEnvironment {
  if (typeof vllm === 'string') throw new Error(vllm)
  return vllm
}

async function askServer(weights: Weights, flags: readonly string[], seed: string, count: number) {
  const server = await startVllm(environment(), { weights, runner: 'v1', flags })
  try {
    return await ask(server, seed, count)
  } finally {
    await server.close()
  }
}

async function ask(miner: VllmServer, seed: string, count: number): Promise<FieldAnswer[]> {
  let field: Field | undefined
  try {
    field = await openField(environment(), { miner, reference })
    const requests = await makeRequests({ seed, count, maxTokens: { min: 48, max: 128 }, greedyShare: 0.2 })
    return await field.askAll(requests, AT_ONCE)
  } finally {
    await field?.close()
  }
}

function failuresOf(answers: readonly FieldAnswer[]) {
  return answers.map(({ verdict }) => verdict).filter(({ kind }) => kind !== 'verified')
}
