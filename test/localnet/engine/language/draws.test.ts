import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import {
  type Draw,
  loadModel,
  NEUTRAL_SAMPLING,
  pickToken,
  processLogprobs,
  SAMPLERS,
  startDraws,
} from '../../../../src/localnet/engine/language/index.js'
import { chatPrompt } from '../samples.js'

interface Row {
  readonly seed: string
  readonly position: number
  readonly tokens: readonly number[]
  readonly gumbel: readonly number[]
  readonly gumbel64?: readonly number[]
}

const recorded: { readonly murmur3: readonly Row[]; readonly philox: readonly Row[] } = JSON.parse(
  await readFile('test/fixtures/seeded-sampling.json', 'utf8'),
)

const NOTHING = { prompt: new Set<number>(), output: new Map<number, number>() }
const SEEDED = SAMPLERS.filter((name) => name !== 'generator')

function noiseOf(draw: Draw) {
  if ('fraction' in draw) throw new Error('expected noise per token')
  return draw
}

describe('startDraws', () => {
  it('draws the noise that the kernels of vLLM draw', () => {
    const rows = [
      ...recorded.murmur3.map((row) => ({ sampler: 'murmur3' as const, row, expected: row.gumbel })),
      ...recorded.philox.map((row) => ({ sampler: 'philox-fp32' as const, row, expected: row.gumbel })),
      ...recorded.philox.map((row) => ({ sampler: 'philox-64' as const, row, expected: row.gumbel64 })),
    ]
    let compared = 0
    for (const { sampler, row, expected = [] } of rows) {
      const { gumbelOf } = noiseOf(startDraws(sampler, Number(row.seed))(row.position))
      for (const [index, id] of row.tokens.entries()) {
        expect(Math.abs(gumbelOf(id) - (expected[index] ?? Number.NaN))).toBeLessThan(2e-5)
        compared += 1
      }
    }
    expect(compared).toBeGreaterThan(100)
  })

  it.each(SEEDED)('%s: gives no token more noise than it states', (sampler) => {
    const draws = startDraws(sampler, 11)
    for (let position = 0; position < 20; position++) {
      const { gumbelOf, highest } = noiseOf(draws(position))
      const noise = Array.from({ length: 300 }, (_, id) => gumbelOf(id))
      expect(Math.max(...noise)).toBeLessThan(highest)
    }
  })

  it.each(SAMPLERS)(
    '%s: picks each token as often as its probability says, with and without scores',
    (sampler) => {
      const model = loadModel('targon-dev/small-a')
      const context = model.start()
      for (const id of chatPrompt(model, 3)) context.push(id)
      const distribution = context.next()
      const settings = { ...NEUTRAL_SAMPLING, temperature: 0.9 }
      const scores = processLogprobs(distribution, settings, NOTHING, new Set())
      const [best = 0] = distribution.head
      const times = 600
      let picked = 0
      for (let seed = 0; seed < times; seed++) {
        const id = pickToken(distribution, settings, NOTHING, new Set(), startDraws(sampler, seed)(20))
        if (id === best) picked += 1
        if (seed % 100 > 0) continue
        const draw = startDraws(sampler, seed)(20)
        expect(pickToken(distribution, settings, NOTHING, new Set(), draw, scores)).toBe(id)
      }
      const probability = Math.exp(scores[best] ?? 0)
      expect(Math.abs(picked / times - probability)).toBeLessThan(0.05)
    },
  )
})
