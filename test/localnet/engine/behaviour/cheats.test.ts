import { afterEach, describe, expect, it } from 'vitest'
import { type Cheat, loadModel } from '../../../../src/localnet/engine/index.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { closeEngines, type EngineClient, MODEL, startEngine } from '../engine-client.js'

afterEach(closeEngines)

interface Sent {
  readonly ids: readonly number[]
  readonly logprobs: readonly number[]
}

const messages = [
  { role: 'system', content: 'You are a guide to the rivers of the north.' },
  { role: 'user', content: 'How do rivers grow, and where do they begin?' },
]

async function ask(
  { post }: EngineClient,
  change: { temperature?: number; seed?: number; messages?: object[]; stream_options?: object } = {},
): Promise<Sent> {
  const request = { model: MODEL, messages, max_tokens: 64, temperature: 0.9, seed: 5, ...change }
  const asked = { ...request, logprobs: true, return_tokens_as_token_ids: true }
  const { json } = await post('/v1/chat/completions', asked)
  const content: { token: string; logprob: number }[] = json.choices[0].logprobs.content
  return {
    ids: content.map(({ token }) => Number(token.slice('token_id:'.length))),
    logprobs: content.map(({ logprob }) => logprob),
  }
}

/** Mean distance of the logprobs stated from those of the true model. */
async function residual(client: EngineClient, { ids, logprobs }: Sent): Promise<number> {
  const prompt: number[] = (await client.post('/tokenize', { model: MODEL, messages })).json.tokens
  const context = loadModel(MODEL).start()
  for (const id of prompt) context.push(id)
  let sum = 0
  for (const [index, id] of ids.entries()) {
    sum += Math.abs(context.next().logprobOf(id) - (logprobs[index] ?? 0))
    context.push(id)
  }
  return sum / ids.length
}

const cheating = (cheat: Cheat) => startEngine({ cheat })

describe('a cheat in numbers', () => {
  it('repeats its noise for the same seed of noise and changes it with another', async () => {
    const [first, again, other] = await Promise.all([
      cheating({ logitNoise: 0.3 }),
      cheating({ logitNoise: 0.3 }),
      cheating({ logitNoise: 0.3, noiseSeed: 2 }),
    ])
    const sent = await ask(first)
    expect(await ask(again)).toEqual(sent)
    expect((await ask(other)).logprobs).not.toEqual(sent.logprobs)
  })

  it('states logprobs that are off by the noise, or those of the true model when it rescores', async () => {
    const mild = await cheating({ logitNoise: 0.1 })
    const strong = await cheating({ logitNoise: 0.7 })
    const rescoring = await cheating({ logitNoise: 0.7, rescores: true })
    const mildResidual = await residual(mild, await ask(mild))
    expect(mildResidual).toBeGreaterThan(0.005)
    expect(mildResidual).toBeLessThan(0.1)
    expect(await residual(strong, await ask(strong))).toBeGreaterThan(2 * mildResidual)
    const sent = await ask(rescoring)
    expect(await residual(rescoring, sent)).toBeLessThan(1e-9)
    expect(sent.ids).toEqual((await ask(strong)).ids)
  })

  it('rounds weights more coarsely with a larger step', async () => {
    const off = async (weightStep: number) => {
      const engine = await cheating({ weightStep })
      return await residual(engine, await ask(engine))
    }
    const [fine, coarse] = [await off(1e-9), await off(1)]
    expect(fine).toBeLessThan(1e-6)
    expect(coarse).toBeGreaterThan(0.1)
  })

  it('samples at the temperature asked for times the factor', async () => {
    const honest = await startEngine()
    const cooler = await cheating({ temperatureFactor: 0.5 })
    expect(await ask(cooler, { temperature: 1.2 })).toEqual(await ask(honest, { temperature: 0.6 }))
  })

  it('answers as if the system prompt had not been sent', async () => {
    const honest = await startEngine()
    const dropping = await cheating({ dropsSystemPrompt: true })
    expect(await ask(dropping)).toEqual(await ask(honest, { messages: messages.slice(1) }))
    expect(await ask(dropping)).not.toEqual(await ask(honest))
    // nothing to leave out
    expect(await ask(dropping, { messages: messages.slice(1) })).toEqual(await ask(dropping))
  })

  it('reads only the last tokens of the prompt, and reports the usage of all', async () => {
    const [honest, truncating] = await Promise.all([startEngine(), cheating({ promptTokens: 20 })])
    const request = { model: MODEL, prompt: 'How do rivers grow? '.repeat(12), max_tokens: 8, seed: 1 }
    const prompt: number[] = (await honest.post('/tokenize', { model: MODEL, prompt: request.prompt })).json
      .tokens
    const [short, cut] = await Promise.all([
      honest.post('/v1/completions', { ...request, prompt: prompt.slice(-20) }),
      truncating.post('/v1/completions', request),
    ])
    expect(cut.json.choices[0].text).toBe(short.json.choices[0].text)
    expect(cut.json.usage.prompt_tokens).toBe(prompt.length)
  })

  it('accepts every token of a draft, or only those that are likely enough', async () => {
    const draft = (leastProbability: number) => cheating({ draft: { logitNoise: 2, leastProbability } })
    const [honest, strict, loose] = await Promise.all([startEngine(), draft(1.1), draft(0)])
    // a probability above 1 accepts nothing
    expect(await ask(strict)).toEqual(await ask(honest))
    const sent = await ask(loose)
    expect(sent.ids).not.toEqual((await ask(honest)).ids)
    expect(await residual(loose, sent)).toBeLessThan(1e-9)
  })

  it('cheats with about its share of the answers', async () => {
    const honest = await startEngine()
    const sometimes = await cheating({ logitNoise: 1, share: 0.3 })
    let cheated = 0
    for (let seed = 0; seed < 40; seed++) {
      const [true_, sent] = [await ask(honest, { seed }), await ask(sometimes, { seed })]
      if (sent.logprobs.join() !== true_.logprobs.join()) cheated += 1
    }
    expect(cheated).toBeGreaterThan(4)
    expect(cheated).toBeLessThan(24)
  })

  it('turns from an answer or from a time on', async () => {
    const clock = new ManualClock()
    const [honest, late] = [await startEngine(), await cheating({ logitNoise: 1, fromAnswer: 3 })]
    const later = await startEngine({ cheat: { logitNoise: 1, afterMs: 60_000 } }, clock)
    const expected = await ask(honest)
    expect([await ask(late), await ask(late)]).toEqual([expected, expected])
    expect(await ask(late)).not.toEqual(expected)
    expect(await ask(later)).toEqual(expected)
    await clock.advance(60_000)
    expect(await ask(later)).not.toEqual(expected)
  })

  it('answers only short prompts with another model', async () => {
    const [honest, other, twoFaced] = await Promise.all(
      (['honest', 'other-model', 'two-faced'] as const).map((behaviour) => startEngine({ behaviour })),
    )
    if (!honest || !other || !twoFaced) throw new Error('an engine is missing')
    expect(await ask(twoFaced)).toEqual(await ask(honest))
    const user = { messages: [{ role: 'user', content: 'How do rivers begin?' }] }
    expect(await ask(twoFaced, user)).toEqual(await ask(other, user))
    expect(await ask(twoFaced, user)).not.toEqual(await ask(honest, user))
  })
})

describe('numeric noise', () => {
  it('differs between generation and prompts, and between cards', async () => {
    const noise = (decode: number, prefill: number, seed = 1) =>
      startEngine({ numericNoise: { decode, prefill, seed } })
    const [plain, decoding, prefilling, other] = await Promise.all([
      startEngine(),
      noise(0.05, 0),
      noise(0, 0.05),
      noise(0.05, 0, 2),
    ])
    const scored = async ({ post }: EngineClient) => {
      const request = { model: MODEL, prompt: [1, 2, 3, 300, 400], max_tokens: 1, prompt_logprobs: 3 }
      return (await post('/v1/completions', request)).json.choices[0].prompt_logprobs
    }
    const [expected, score] = [await ask(plain), await scored(plain)]
    expect((await ask(decoding)).logprobs).not.toEqual(expected.logprobs)
    expect((await ask(other)).logprobs).not.toEqual((await ask(decoding)).logprobs)
    expect(await scored(decoding)).toEqual(score)
    expect(await ask(prefilling)).toEqual(expected)
    expect(await scored(prefilling)).not.toEqual(score)
  })
})
