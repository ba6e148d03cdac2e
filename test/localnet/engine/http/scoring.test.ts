import { afterEach, describe, expect, it } from 'vitest'
import { closeEngines, MODEL, question, readChatStream, startEngine } from '../engine-client.js'

afterEach(closeEngines)

const CHAT = '/v1/chat/completions'
const ask = (seed: number, temperature: number, maxTokens = 64) => ({
  model: MODEL,
  messages: question(`How do ${seed} birds find north? 🦔`),
  seed,
  temperature,
  max_tokens: maxTokens,
  logprobs: true,
  return_tokens_as_token_ids: true,
})

describe('scoring', () => {
  it.each([0, 0.3, 0.7, 1])(
    'scores generated ids with exactly the logprobs it streamed, at temperature %d',
    async (temperature) => {
      const { post, stream } = await startEngine()
      for (let seed = 1; seed <= 3; seed++) {
        const request = ask(seed, temperature)
        const answer = readChatStream(await stream(CHAT, request))
        const input = (
          await post('/tokenize', {
            model: MODEL,
            messages: request.messages,
            add_generation_prompt: true,
            add_special_tokens: false,
          })
        ).json.tokens
        const scored = (
          await post('/v1/completions', {
            model: MODEL,
            prompt: [...input, ...answer.ids],
            max_tokens: 1,
            temperature,
            logprobs: 16,
            prompt_logprobs: 16,
            return_tokens_as_token_ids: true,
          })
        ).json.choices[0]
        const positions = scored.prompt_logprobs
        expect(positions).toHaveLength(input.length + answer.ids.length)
        expect(positions[0]).toBeNull()
        for (const [index, id] of answer.ids.entries()) {
          const entry = positions[input.length + index][id]
          expect(entry.logprob).toBe(answer.logprobs[index])
          if (temperature === 0) expect(entry.rank).toBe(1)
        }
        const detokenized = (await post('/detokenize', { model: MODEL, tokens: answer.ids })).json.prompt
        expect(detokenized.replace(/<\|\w+\|>$/, '').startsWith(answer.text)).toBe(true)
      }
    },
  )

  it('gives the same answer for a seed streamed, in one piece and from token ids', async () => {
    const { post, stream } = await startEngine()
    const request = ask(11, 0.9)
    const streamed = readChatStream(await stream(CHAT, request))
    const whole = (await post(CHAT, request)).json.choices[0]
    const input = (await post('/tokenize', { model: MODEL, messages: request.messages })).json.tokens
    const byIds = (
      await post('/v1/completions', {
        model: MODEL,
        prompt: input,
        seed: 11,
        temperature: 0.9,
        max_tokens: 64,
        logprobs: 1,
        return_tokens_as_token_ids: true,
      })
    ).json.choices[0]
    expect(whole.message.content).toBe(streamed.text)
    expect(byIds.text).toBe(streamed.text)
    expect(byIds.logprobs.token_logprobs).toEqual(streamed.logprobs)
    expect(byIds.logprobs.tokens).toEqual(streamed.ids.map((id) => `token_id:${id}`))
  })

  it('lists the chosen end token among the candidates after a complete answer', async () => {
    const { post, stream } = await startEngine()
    for (let seed = 1; seed < 4; seed++) {
      const answer = readChatStream(await stream(CHAT, ask(seed, 0.8, 2000)))
      expect(answer.finish).toBe('stop')
      const { messages } = ask(seed, 0.8)
      const input = (await post('/tokenize', { model: MODEL, messages })).json.tokens
      const choice = (
        await post('/v1/completions', {
          model: MODEL,
          prompt: [...input, ...answer.ids.slice(0, -1)],
          max_tokens: 1,
          logprobs: 6,
          return_tokens_as_token_ids: true,
        })
      ).json.choices[0]
      expect(Object.keys(choice.logprobs.top_logprobs[0])).toContain(`token_id:${answer.ids.at(-1)}`)
    }
  })

  it('reports scaled logprobs for prompt and answer as 0.6.2, with unchanged ranks', async () => {
    const old = await startEngine({ dialect: 'v0', returnTokensAsTokenIds: true })
    const current = await startEngine({ sampler: 'generator' })
    const { return_tokens_as_token_ids: _, ...request } = ask(3, 0.5)
    const scaled = readChatStream(await old.stream(CHAT, request))
    const raw = readChatStream(await current.stream(CHAT, { ...request, return_tokens_as_token_ids: true }))
    expect(scaled.ids).toEqual(raw.ids)
    expect(scaled.logprobs).not.toEqual(raw.logprobs)
    const input = (await old.post('/tokenize', { model: MODEL, messages: request.messages })).json.tokens
    const score = async (client: typeof old) =>
      (
        await client.post('/v1/completions', {
          model: MODEL,
          prompt: [...input, ...scaled.ids],
          max_tokens: 1,
          temperature: 0.5,
          prompt_logprobs: 5,
        })
      ).json.choices[0].prompt_logprobs.slice(input.length)
    const oldScores = await score(old)
    const newScores = await score(current)
    for (const [index, id] of scaled.ids.entries()) {
      expect(oldScores[index][id].logprob).toBeCloseTo(scaled.logprobs[index]!, 12)
      expect(oldScores[index][id].rank).toBe(newScores[index][id].rank)
    }
  })
})
