import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { scaled } from '../gauntlet/scale.js'
import type { VllmEnvironment } from './environment.js'
import { makeRequests, openField } from './field.js'
import { recordDraws } from './results.js'
import { startVllm, type VllmServer, type Weights } from './server.js'

// The runner of current vLLM on GPUs, by Triton's interpreter: its sampler noise is a function of seed, position and token
// id. Slow, so answers are short and few. The reference is a vLLM with the V1 runner, which differs only in its sampler.
const vllm = inject('vllm')

const TOKENS = 24
const TEMPERATURES = [0.5, 0.7, 0.9, 1, 1.1, 1.3]

let reference: VllmServer

describe.skipIf(typeof vllm === 'string')('a real vLLM, V2 runner', { timeout: 3_600_000 }, () => {
  beforeAll(async () => {
    reference = await startVllm(environment(), { weights: 'honest', runner: 'v1' })
  }, 3_600_000)
  afterAll(() => reference?.close())

  it('draws every token that the seed says', async () => {
    const { tokens, mismatches, synchrony, dialect } = await follow('v2-honest', 'honest', [], 24)
    expect({ mismatches, dialect }).toEqual({ mismatches: 0, dialect: 'murmur3' })
    expect(synchrony.no ?? 0).toBe(0)
    expect(tokens).toBeGreaterThan(0)
  })

  it('draws nearly every token that the seed says with float32', async () => {
    const { mismatches, tokens, synchrony } = await follow('v2-float32', 'honest', ['--dtype', 'float32'], 64)
    expect(synchrony.no ?? 0).toBe(0)
    expect(mismatches).toBeLessThanOrEqual(2 + 0.01 * tokens)
  })

  it('draws other tokens more often with 4-bit weights', async () => {
    const { mismatches, tokens } = await follow('v2-int4', 'int4', [], 48)
    expect(mismatches).toBeLessThanOrEqual(2 + 0.05 * tokens)
  })
})

function environment(): VllmEnvironment {
  if (typeof vllm === 'string') throw new Error(vllm)
  return vllm
}

async function follow(name: string, weights: Weights, flags: readonly string[], full: number) {
  const miner = await startVllm(environment(), { weights, runner: 'v2', flags })
  try {
    const field = await openField(environment(), { miner, reference })
    const requests = await makeRequests({
      ...{ seed: name, count: scaled(full, 2), maxTokens: { min: TOKENS, max: TOKENS }, greedyShare: 0 },
      change: (request, index) => ({
        ...request,
        temperature: TEMPERATURES[index % TEMPERATURES.length] ?? 1,
      }),
    })
    const answers = await field.askAll(requests, 2).finally(() => field.close())
    return recordDraws(name, answers)
  } finally {
    await miner.close()
  }
}
