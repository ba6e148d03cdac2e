import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DevelopmentEngineOptions, SamplingDefaults } from '../../src/localnet/engine/index.js'
import { requestOf, startVerificationRig, type VerificationRig } from '../support/verification-rig.js'

/** Honest servers set up as vLLM's users set them up: none fails under `strict`. */

/** Each temperature at each endpoint once; 25 servers answer 150 requests together. */
const ANSWERS = 6
const TEMPERATURES = [0.3, 0.7, 1]

/** Llama 3.1 ships a top_p of 0.9. */
const DEFAULTS: Record<string, SamplingDefaults> = {
  'no defaults': {},
  'top_p 0.9': { topP: 0.9 },
  'top_k 40': { topK: 40 },
  'min_p 0.05': { minP: 0.05 },
  'top_p 0.9, top_k 20 and min_p 0.02': { topP: 0.9, topK: 20, minP: 0.02 },
}

/** @returns the verdicts that are not `verified`. */
async function failuresOf(
  rig: VerificationRig,
  options: Partial<DevelopmentEngineOptions>,
  seed: string,
  mayBeCut?: true,
): Promise<string[]> {
  const miner = await rig.startMiner(options)
  const verdicts = await Promise.all(
    Array.from({ length: ANSWERS }, async (_, index) => {
      const temperature = TEMPERATURES[index % TEMPERATURES.length] ?? 1
      const endpoint = index % 2 === 0 ? 'chat' : 'completion'
      const request = await requestOf(`${seed} ${index}`, {
        ...{ temperature, endpoint, maxTokens: 64 },
        ...(mayBeCut ? { mayBeCut } : {}),
      })
      const verdict = await rig.verify(request, await rig.ask(miner.url, request))
      return `${endpoint} T=${temperature}: ${verdict.kind === 'failed' ? verdict.cause : verdict.kind}`
    }),
  )
  return verdicts.filter((verdict) => !verdict.endsWith(' verified'))
}

describe.each(Object.keys(DEFAULTS))('a model with %s', (name) => {
  const samplingDefaults = DEFAULTS[name] ?? {}
  let rig: VerificationRig

  beforeAll(async () => {
    rig = await startVerificationRig({ samplingDefaults })
  })
  afterAll(() => rig.close())

  test.each([
    ['rules cuts out', undefined],
    ['leaves cuts to the server', true],
  ] as const)('verifies a server that reports raw logprobs when the request %s', async (_, mayBeCut) => {
    expect(await failuresOf(rig, { samplingDefaults }, name, mayBeCut)).toEqual([])
  })

  test.each([
    ['rules cuts out', undefined],
    ['leaves cuts to the server', true],
  ] as const)(
    'verifies a server that reports processed logprobs when the request %s',
    async (_, mayBeCut) => {
      const processed = { samplingDefaults, logprobsMode: 'processed' } as const
      expect(await failuresOf(rig, processed, name, mayBeCut)).toEqual([])
    },
  )

  test('verifies a server that lags and merges tokens into one chunk', async () => {
    const lagging = { samplingDefaults, tokensPerSecond: 400, sendLagMs: 15 }
    expect(await failuresOf(rig, lagging, name)).toEqual([])
  })
})
