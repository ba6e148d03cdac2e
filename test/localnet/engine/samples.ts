import { encodeChat, type LanguageModel } from '../../../src/localnet/engine/index.js'
import { NEUTRAL_SAMPLING, pickToken, startDraws } from '../../../src/localnet/engine/language/index.js'

export interface SampledToken {
  readonly id: number
  readonly logprob: number
  readonly rank: number
  /** Not the end, although it was nearly certain, or more likely than this token of rank above ten. */
  readonly passedEnd: boolean
}

/** A chat prompt that differs with `number`. */
export function chatPrompt(model: LanguageModel, number: number): number[] {
  return encodeChat(
    model.tokenizer,
    [
      { role: 'system', content: `You are visitor ${number} from the city of Kilmore.` },
      { role: 'user', content: `Please say who you are and answer question ${number}: how do rivers grow?` },
    ],
    { addGenerationPrompt: true },
  )
}

export function completionPrompt(model: LanguageModel, number: number): number[] {
  return model.tokenizer.encode(`You are visitor ${number}.\n\nWhere do ${number} rivers begin?`, {
    bos: true,
  })
}

const NOTHING = { prompt: new Set<number>(), output: new Map<number, number>() }

/** Samples from a model directly, as a server does. */
export function sampleAnswer(
  model: LanguageModel,
  prompt: readonly number[],
  options: { readonly temperature: number; readonly seed: number; readonly maxTokens: number },
): SampledToken[] {
  const context = model.start()
  for (const id of prompt) context.push(id)
  const draws = startDraws('murmur3', options.seed)
  const settings = { ...NEUTRAL_SAMPLING, temperature: options.temperature }
  const tokens: SampledToken[] = []
  const ends = (['<|eot_id|>', '<|end_of_text|>'] as const).map((one) => model.tokenizer.special(one))
  while (tokens.length < options.maxTokens) {
    const distribution = context.next()
    const id = pickToken(distribution, settings, NOTHING, new Set(), draws(context.length - 1))
    const rank = distribution.rankOf(id)
    const end = ends.includes(id)
      ? undefined
      : ends.find((one) => distribution.rankOf(one) < rank && distribution.logprobOf(one) > Math.log(0.01))
    const passedEnd = end !== undefined && (rank > 10 || distribution.logprobOf(end) > Math.log(0.9))
    tokens.push({ id, logprob: distribution.logprobOf(id), rank, passedEnd })
    context.push(id)
    if (model.tokenizer.isSpecial(id)) break
  }
  return tokens
}

/** The ranks a model gives these tokens after the prompt. */
export function rankWith(model: LanguageModel, prompt: readonly number[], ids: readonly number[]): number[] {
  const context = model.start()
  for (const id of prompt) context.push(id)
  return ids.map((id) => {
    const rank = context.next().rankOf(id)
    context.push(id)
    return rank
  })
}

/** The rank rules of 4.4.1 verifier/verifier.py over one answer. */
export function breaksRankRules(ranks: readonly number[]): boolean {
  return (
    ranks.filter((rank) => rank !== 1).length / ranks.length >= 0.5 ||
    ranks.filter((rank) => rank >= 25).length >= 5 ||
    ranks.some((rank) => rank >= 75)
  )
}
