import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../../src/kernel/clock.js'
import { DEVELOPMENT_MODELS, loadModel } from '../../../../src/localnet/engine/language/index.js'
import { createRandom, makePrompt } from '../../../../src/prompts/index.js'
import { breaksRankRules, chatPrompt, completionPrompt, rankWith, sampleAnswer } from '../samples.js'

const models = DEVELOPMENT_MODELS.map(loadModel)

describe('LanguageModel', () => {
  it('gives another answer to a prompt that differs far back', () => {
    const [model] = models
    const answers = [0, 1, 2, 3].map((number) =>
      sampleAnswer(model!, chatPrompt(model!, number), { temperature: 0, seed: 1, maxTokens: 40 })
        .map((token) => token.id)
        .join(),
    )
    expect(new Set(answers).size).toBe(4)
  })

  it('repeats its answer for the same seed but not for another', () => {
    const [model] = models
    const answer = (seed: number) =>
      sampleAnswer(model!, chatPrompt(model!, 1), { temperature: 1, seed, maxTokens: 96 })
    expect(answer(7)).toEqual(answer(7))
    expect(answer(7)).not.toEqual(answer(8))
  })

  it('gives honest answers that break no rule against cheats, at any temperature', () => {
    let ends = 0
    let answers = 0
    let outsideMembership = 0
    for (const [at, model] of models.entries()) {
      let notFirst = 0
      let hot = 0
      for (let number = 0; number < 44; number++) {
        const temperature = (number % 11) / 10
        const prompt = number % 2 ? chatPrompt(model, number) : completionPrompt(model, number)
        const tokens = sampleAnswer(model, prompt, { temperature, seed: number * 3 + at, maxTokens: 160 })
        const ranks = tokens.map((token) => token.rank)
        expect(breaksRankRules(ranks)).toBe(false)
        expect(tokens.some((token) => token.logprob === 0)).toBe(false)
        expect(tokens.some((token) => token.passedEnd)).toBe(false)
        outsideMembership += ranks.filter((rank) => rank > Math.trunc(temperature * 10) + 3).length
        answers += 1
        if (tokens.length < 160) ends += 1
        if (temperature < 1) continue
        hot += tokens.length
        notFirst += ranks.filter((rank) => rank !== 1).length
      }
      expect(notFirst / hot).toBeGreaterThan(0.08)
      expect(notFirst / hot).toBeLessThan(0.35)
    }
    expect(ends / answers).toBeGreaterThan(0)
    expect(ends / answers).toBeLessThan(0.25)
    expect(outsideMembership).toBeLessThan(5)
  })

  it('ends answers by itself after a full stop when there is room', () => {
    const [model] = models
    const { tokenizer } = model!
    for (let number = 0; number < 10; number++) {
      const tokens = sampleAnswer(model!, chatPrompt(model!, number), {
        temperature: 0.8,
        seed: number,
        maxTokens: 2000,
      })
      expect(tokens.length).toBeLessThan(2000)
      expect(tokens.length).toBeGreaterThan(96)
      expect(tokens.at(-1)?.id).toBe(tokenizer.special('<|eot_id|>'))
      expect(tokens.at(-1)?.rank).toBe(1)
      expect(tokenizer.textOf(tokens.at(-2)!.id)).toMatch(/\.$/)
    }
  })

  it('never ends a completion after a few words, which would fail an honest miner', async () => {
    const [model] = models
    for (let day = 0; day < 120; day++) {
      const prompt = await makePrompt(
        {
          ...{ random: createRandom(`day ${day}`), model: 'any', endpoints: ['completion'] },
          ...{ maxTokens: { min: 64, max: 64 }, sameForAll: true },
          clock: { ...systemClock, now: () => Date.UTC(2026, 10, day) },
        },
        new AbortController().signal,
      )
      const request = prompt.forMiner('miner')
      if (request.endpoint !== 'completion') throw new Error('expected a completion')
      const ids = model!.tokenizer.encode(request.prompt, { bos: true })
      const { temperature, seed = 0, maxTokens } = request
      expect(sampleAnswer(model!, ids, { temperature, seed, maxTokens })).toHaveLength(64)
    }
  })

  it('produces answers that other models rank as cheating', () => {
    for (const answering of models) {
      for (const judging of models) {
        for (let number = 0; number < 6; number++) {
          const prompt = chatPrompt(answering, number)
          const tokens = sampleAnswer(answering, prompt, {
            temperature: number / 5,
            seed: number,
            maxTokens: 96,
          })
          const ranks = rankWith(
            judging,
            prompt,
            tokens.map((token) => token.id),
          )
          expect(breaksRankRules(ranks)).toBe(answering !== judging)
        }
      }
    }
  })
})
