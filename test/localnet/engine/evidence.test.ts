import { afterEach, describe, expect, it } from 'vitest'
import {
  alarmThreshold,
  type ComparedAnswer,
  EvidenceBook,
  noiseLevels,
  observe,
  type Standing,
} from '../../../src/evidence/index.js'
import type { DevelopmentEngineOptions } from '../../../src/localnet/engine/index.js'
import { closeEngines, type EngineClient, type Json, MODEL, startEngine } from './engine-client.js'

afterEach(closeEngines)

const CHAT = '/v1/chat/completions'
const VOCABULARY = 1262
const LEVELS = noiseLevels(undefined)
const RULES = { threshold: alarmThreshold(1e-3, 8000), cleanAnswers: 50 }

interface Asking {
  readonly temperature: number
  readonly maxTokens?: number
}

function messagesOf(number: number): object[] {
  return [
    {
      role: 'system',
      content: `You are guide ${number} of the museum of rivers in the old town of Kilmore.`,
    },
    {
      role: 'user',
      content: `Here is question ${number}: how do rivers grow, and what do they carry to the sea?`,
    },
  ]
}

/** One answer of a miner beside the logprobs of the reference engine, as a validator compares them. */
async function compare(
  miner: EngineClient,
  reference: EngineClient,
  number: number,
  { temperature, maxTokens = 96 }: Asking,
): Promise<ComparedAnswer> {
  const seed = 1000 + number
  const request = { model: MODEL, messages: messagesOf(number), max_tokens: maxTokens, temperature, seed }
  const asked = { ...request, logprobs: true, return_tokens_as_token_ids: true }
  const content: Json[] = (await miner.post(CHAT, asked)).json.choices[0].logprobs.content
  const ids = content.map(({ token }) => Number(token.slice('token_id:'.length)))
  const prompt: number[] = (await reference.post('/tokenize', { model: MODEL, messages: request.messages }))
    .json.tokens
  const scoring = { model: MODEL, prompt: [...prompt, ...ids], max_tokens: 1, prompt_logprobs: 20 }
  const scored: Json[] = (await reference.post('/v1/completions', scoring)).json.choices[0].prompt_logprobs
  const positions = scored.slice(prompt.length).map((position, index) => {
    const entries = Object.entries(position as Record<string, { logprob: number; rank: number }>)
    const own = position[String(ids[index])].logprob as number
    const top = entries.map(([id, one]) => ({ id: Number(id), ...one })).filter(({ rank }) => rank <= 20)
    return { own, top: top.sort((a, b) => a.rank - b.rank) }
  })
  let end = 0
  const tops = positions.map(({ top }) => top)
  return {
    temperature,
    seed,
    promptTokens: prompt.length,
    tokenIds: Float64Array.from(ids),
    claimed: Float64Array.from(content, ({ logprob }) => logprob),
    claimedAt: 1,
    reference: Float64Array.from(positions, ({ own }) => own),
    top: {
      starts: Float64Array.from([0, ...tops.map((top) => (end += top.length))]),
      ids: Float64Array.from(tops.flat(), ({ id }) => id),
      logprobs: Float64Array.from(tops.flat(), ({ logprob }) => logprob),
      tail: Float64Array.from(tops, (top) =>
        Math.max(0, 1 - top.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)),
      ),
      vocabularySize: VOCABULARY,
    },
    isCut: false,
  }
}

interface Outcome {
  readonly standing: Standing
  /** Tokens until the alarm; undefined without one. */
  readonly alarmAfter: number | undefined
}

/** Asks at T = 0.8, and every fifth time at T = 0, until the miner is barred or has given this many answers. */
async function watch(
  cheating: Partial<DevelopmentEngineOptions>,
  answers: number,
  asking: (number: number) => Asking = (number) => ({ temperature: number % 5 === 0 ? 0 : 0.8 }),
): Promise<Outcome> {
  const [miner, reference] = await Promise.all([startEngine(cheating), startEngine()])
  const book = new EvidenceBook(RULES)
  for (let number = 1; number <= answers; number++) {
    const compared = await compare(miner, reference, number, asking(number))
    const observation = observe(compared, LEVELS, book.dialectOf('miner', MODEL))
    const { alarm } = book.record('miner', MODEL, observation, number)
    if (!alarm) continue
    const standing = book.standing('miner', MODEL)
    return { standing, alarmAfter: standing.tokens }
  }
  return { standing: book.standing('miner', MODEL), alarmAfter: undefined }
}

describe('evidence against development engines', () => {
  it.each(['murmur3', 'philox-fp32', 'philox-64'] as const)(
    'follows the seeds of an honest engine that samples by %s',
    async (sampler) => {
      const { standing, alarmAfter } = await watch({ sampler }, 6)
      expect(standing).toMatchObject({ dialect: sampler, unsynchronised: 0, level: 'clean' })
      expect(alarmAfter).toBeUndefined()
    },
  )

  it.each([
    ['a generator of another kind', { sampler: 'generator' }],
    ['the rounding of another card', { numericNoise: { decode: 0.03, prefill: 0.03, seed: 2 } }],
  ] as const)('does not accuse an honest engine with %s', async (_, options) => {
    const { standing, alarmAfter } = await watch(options, 30)
    expect(alarmAfter).toBeUndefined()
    expect(standing.level).toBe('clean')
  })

  it.each(['int4', 'rescored', 'cooler', 'no-system-prompt', 'truncated-prompt', 'draft'] as const)(
    '%s: evidence alarms',
    async (behaviour) => {
      const { alarmAfter } = await watch({ behaviour }, 150)
      expect(alarmAfter).toBeLessThan(10_000)
    },
  )
})
