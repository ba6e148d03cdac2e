import { describe, expect, it } from 'vitest'
import type { ReferencePosition } from '../../src/engine/index.js'
import { createRandom } from '../../src/prompts/index.js'
import { prepareAnswer } from '../../src/verification/answer-comparison.js'
import { type AnswerComparison, judgeStrict, THRESHOLDS } from '../../src/verification/index.js'
import { FACTS, honestComparison } from '../support/answer-comparison.js'
import { simulateAnswer } from '../support/simulated-answer.js'

const cause = (evidence: AnswerComparison) => {
  const verdict = judgeStrict(evidence)
  return verdict.kind === 'failed' ? verdict.cause : verdict.kind
}

/** The same answer with other claimed logprobs. */
const claim = (
  evidence: AnswerComparison,
  of: (logprob: number, index: number) => number,
): AnswerComparison => ({
  ...evidence,
  tokens: evidence.tokens.map(({ id, logprob }, index) => ({ id, logprob: of(logprob, index) })),
})

/** The same answer with a likely end token at some positions. */
const withEnd = (
  evidence: AnswerComparison,
  chance: number,
  at: (index: number) => boolean,
): AnswerComparison => ({
  ...evidence,
  reference: {
    ...evidence.reference,
    positions: evidence.reference.positions.map((position, index): ReferencePosition => {
      if (!at(index)) return position
      const rest = Math.log(1 - chance)
      const others = [...position].map(
        ([id, { logprob, rank }]) => [id, { logprob: logprob + rest, rank: rank + 1 }] as const,
      )
      return new Map([[2, { logprob: Math.log(chance), rank: 1 }], ...others])
    }),
  },
})

/** The same distribution, with an end token of 7 % where one token has 92 % and top_p 0.9 keeps nothing else. */
function withExcludedEnd(position: ReferencePosition): ReferencePosition {
  const [first, ...others] = position
  if (!first || first[1].logprob < Math.log(0.99)) return position
  const scaled = others.map(
    ([id, { logprob, rank }]) => [id, { logprob: logprob - 0.07, rank: rank + 1 }] as const,
  )
  return new Map([
    [first[0], { logprob: first[1].logprob + Math.log(0.93), rank: 1 }],
    [9_999, { logprob: Math.log(0.07), rank: 2 }],
    ...scaled,
  ])
}

describe('an honest answer', () => {
  it.each([0.02, 0.3, 0.6, 0.9, 1, 1.4])('is verified at temperature %d, raw or scaled', (temperature) => {
    for (let run = 0; run < 50; run++) {
      const evidence = honestComparison(`honest ${run}`, { temperature, tokens: 20 + run * 8 })
      expect(judgeStrict(evidence)).toEqual({ kind: 'verified' })
      const scaled = claim(evidence, (_, index) => scaledLogprob(evidence, index))
      expect(judgeStrict(scaled)).toEqual({ kind: 'verified' })
    }
  })

  it('is verified with the numeric noise of another GPU', () => {
    for (let run = 0; run < 50; run++) {
      const noisy = claim(honestComparison(`noise ${run}`), (logprob, index) =>
        Math.min(0, logprob + 0.12 * Math.sin(index * 7 + run)),
      )
      expect(judgeStrict(noisy)).toEqual({ kind: 'verified' })
    }
  })

  it('may pass over one likely end', () => {
    expect(cause(withEnd(honestComparison('end'), 0.9, (index) => index === 50))).not.toBe('SKIPPED_EOS_EOT')
  })

  it('may pass over any number of ends that its server’s top_p excludes', () => {
    const answer = simulateAnswer('excluded ends', { temperature: 1, tokens: 1_200, cut: { topP: 0.9 } })
    const positions = answer.reference.positions.map(withExcludedEnd)
    const facts = { ...answer.facts, eosTokenIds: [9_999] }
    const tokens = answer.tokens.map(({ id }, index) => ({
      id,
      logprob: positions[index]?.get(id)?.logprob ?? 0,
    }))
    const reference = { ...answer.reference, positions }
    expect(cause({ ...answer, facts, tokens, reference })).toBe('verified')
  })

  it('may end where an end token is likely, with or without that token', () => {
    const whole = honestComparison('ends', { tokens: 60 })
    const ending = new Map([[2, { logprob: -0.1, rank: 1 }]])
    const withoutToken = {
      ...whole,
      maxTokens: 200,
      finishReason: 'stop',
      reference: { ...whole.reference, next: ending },
    }
    expect(cause(withoutToken)).toBe('verified')
    const withToken = {
      ...withoutToken,
      tokens: [...whole.tokens, { id: 2, logprob: -0.1 }],
      reference: { positions: [...whole.reference.positions, ending], next: whole.reference.next },
    }
    expect(cause(withToken)).toBe('verified')
  })
})

describe('a dishonest answer', () => {
  const evidence = honestComparison('cheat', { tokens: 200 })

  it.each([
    ['invented logprobs', claim(evidence, (_, index) => -0.5 - (index % 5)), 'LOGPROB_MISMATCH'],
    ['certainty on every token', claim(evidence, () => 0), 'OVERFIT'],
    ['an early end without an end token', { ...evidence, maxTokens: 500, finishReason: 'stop' }, 'EARLY_END'],
    ['an early end called length', { ...evidence, maxTokens: 500 }, 'EARLY_END'],
    ['ten likely ends passed over', withEnd(evidence, 0.9, (index) => index % 20 === 7), 'SKIPPED_EOS_EOT'],
  ])('fails for %s', (_, cheat, expected) => expect(cause(cheat)).toBe(expected))

  it('fails for an end token in the middle', () => {
    const positions = evidence.reference.positions.map((position, index) =>
      index === 30 ? new Map([...position, [2, { logprob: -3, rank: 4 }]]) : position,
    )
    const tokens = evidence.tokens.map((token, index) => (index === 30 ? { id: 2, logprob: -3 } : token))
    expect(cause({ ...evidence, tokens, reference: { ...evidence.reference, positions } })).toBe(
      'SKIPPED_EOS_EOT',
    )
  })

  const replaceTokens = (share: number, logprob: number, rank: number): AnswerComparison => {
    const swapped = (index: number) => index % Math.round(1 / share) === 0
    return {
      ...evidence,
      tokens: evidence.tokens.map((token, index) => (swapped(index) ? { id: 31_999, logprob } : token)),
      reference: {
        ...evidence.reference,
        positions: evidence.reference.positions.map((position, index) =>
          swapped(index) ? new Map([...position, [31_999, { logprob, rank }]]) : position,
        ),
      },
    }
  }

  it('fails for one token no sampler draws', () =>
    expect(cause(replaceTokens(1 / 200, -60, 9_000))).toBe('UNLIKELY_TOKEN'))
  it('fails for ten tokens far outside the top', () =>
    expect(cause(replaceTokens(1 / 20, -14, 300))).toBe('UNLIKELY_TOKEN'))

  it('fails for the second-likeliest token everywhere at a low temperature', () => {
    const cold = honestComparison('cold', { temperature: 0.2 })
    const seconds = cold.reference.positions.map((position) => [...position][1])
    const tokens = seconds.map((entry) => ({ id: entry?.[0] ?? 0, logprob: entry?.[1].logprob ?? 0 }))
    expect(cause({ ...cold, tokens })).toBe('UNLIKELY_TOKENS')
  })
})

describe('ignored temperature', () => {
  /** The answer resampled by a server with these sampling defaults. */
  const drawn = (
    evidence: AnswerComparison,
    { topP = 1, topK = 20, minP = 0, temperature = evidence.temperature },
  ) => {
    const random = createRandom('drawn')
    const tokens = evidence.reference.positions.map((position) => {
      const entries = [...position].map(([id, { logprob }]) => ({
        id,
        logprob,
        power: Math.exp(logprob / Math.max(temperature, 0.01)),
      }))
      const whole = entries.reduce((sum, { power }) => sum + power, 0)
      let mass = 0
      const kept = entries.slice(0, topK).filter(({ power }) => {
        const isKept = mass < topP * whole && power >= minP * (entries[0]?.power ?? 0)
        if (isKept) mass += power
        return isKept
      })
      let dice = random.next() * mass
      const chosen = kept.find(({ power }) => {
        dice -= power
        return dice < 0
      })
      return { id: chosen?.id ?? 0, logprob: chosen?.logprob ?? 0 }
    })
    return { ...evidence, tokens }
  }
  const greedy = { topK: 1 }

  it.each([
    ['no defaults', {}],
    ['Llama 3', { topP: 0.9 }],
    ['Qwen 2.5', { topP: 0.8, topK: 20 }],
    ['a hard truncation', { topP: 0.7, topK: 10, minP: 0.05 }],
    ['harder defaults in the model’s files', { topP: 0.4, topK: 3 }],
    ['a model whose files make it greedy', { topK: 1 }],
  ])('is not reported for the defaults of a server: %s', (_, cut) => {
    for (const temperature of [0.1, 0.3, 0.6, 0.9, 1.2]) {
      for (let run = 0; run < 8; run++) {
        const evidence = honestComparison(`cut ${run}`, { temperature, tokens: 200 + 150 * run })
        const facts = { ...FACTS, samplingDefaults: cut }
        expect(
          cause({ ...drawn(evidence, cut), facts, mayBeCut: true }),
          `T=${temperature} run ${run}`,
        ).not.toBe('UNLIKELY_TOKENS')
      }
    }
  })

  it.each([
    [0.6, 1_900],
    [0.7, 1_000],
    [0.9, 400],
    [1, 400],
  ])('fails a greedy answer at temperature %d with %d tokens', (temperature, tokens) => {
    const evidence = { ...honestComparison('greedy', { temperature, tokens }), mayBeCut: true }
    expect(judgeStrict(drawn(evidence, greedy))).toMatchObject({
      cause: 'UNLIKELY_TOKENS',
      detail: expect.stringMatching(/^Only 0 of \d+ tokens are not the likeliest, expected at least/),
    })
    expect(cause(drawn(evidence, { temperature: 0.05 }))).toBe('UNLIKELY_TOKENS')
  })

  it.each([
    [0.6, 250],
    [0.7, 180],
    [0.9, 120],
    [1, 100],
  ])(
    'fails a greedy answer at %d with only %d tokens when the request rules out cuts',
    (temperature, tokens) => {
      const evidence = honestComparison('greedy', { temperature, tokens })
      expect(cause(drawn(evidence, greedy))).toBe('UNLIKELY_TOKENS')
      expect(cause(drawn({ ...evidence, mayBeCut: true }, greedy))).toBe('verified')
    },
  )

  it.each([0, 0.02, 0.1])('allows a greedy answer at temperature %d', (temperature) => {
    const evidence = honestComparison('cold', { temperature, tokens: 1_900 })
    expect(cause(drawn(evidence, greedy))).toBe('verified')
  })
})

it('is inconclusive when the reference does not contain the answer’s tokens', () => {
  const evidence = honestComparison('hole')
  const positions = evidence.reference.positions.slice(1)
  expect(judgeStrict({ ...evidence, reference: { ...evidence.reference, positions } })).toMatchObject({
    kind: 'inconclusive',
    reason: 'engine-answer',
  })
})

it('gives a reason for every threshold', () => {
  for (const [name, { value, reason }] of Object.entries(THRESHOLDS)) {
    expect(Number.isFinite(value), name).toBe(true)
    expect(reason.length, name).toBeGreaterThan(20)
  }
})

function scaledLogprob({ reference, tokens, temperature }: AnswerComparison, index: number): number {
  const position = reference.positions[index] ?? new Map()
  const powers = [...position.values()].map(({ logprob }) => Math.exp(logprob / temperature))
  const own = (position.get(tokens[index]?.id ?? 0)?.logprob ?? 0) / temperature
  return Math.min(0, own - Math.log(powers.reduce((sum, power) => sum + power, 0)))
}

it('reaches the same verdict when the reference reports scaled logprobs', () => {
  const evidence = honestComparison('v0', { temperature: 0.5 })
  const positions = evidence.reference.positions.map((position) => {
    const logSum = Math.log(
      [...position.values()].reduce((sum, { logprob }) => sum + Math.exp(logprob / 0.5), 0),
    )
    return new Map(
      [...position].map(([id, { logprob, rank }]) => [id, { logprob: logprob / 0.5 - logSum, rank }]),
    )
  })
  const scaled = {
    ...evidence,
    facts: { ...FACTS, scaledLogprobs: true },
    reference: { ...evidence.reference, positions },
  }
  expect(judgeStrict(scaled)).toEqual({ kind: 'verified' })
})

it('the tokenizer’s end token ends an answer, also where the model’s files list another', () => {
  const facts = { ...FACTS, eosTokenIds: [1], endOfTurnId: undefined, tokenizerEosId: 2 }
  const prepared = prepareAnswer({ ...honestComparison('ends'), facts })
  expect(prepared?.endTokenIds).toEqual(new Set([1, 2]))
})
