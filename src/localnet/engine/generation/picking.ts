import {
  type Context,
  type LanguageModel,
  pickToken,
  processLogprobs,
  type SeenTokens,
  startDraws,
} from '../language/index.js'
import type { Decoding } from './decoding.js'
import type { Job } from './job.js'

/** Picks the next token of one answer. */
export type TokenPicker = (context: Context, seen: SeenTokens, banned: ReadonlySet<number>) => number

export function startPicking(model: LanguageModel, job: Job, decoding: Decoding): TokenPicker {
  const pick = pickWith(model, job, decoding, job.seed)
  const { draft } = decoding
  if (!draft) return pick
  // noise of its own, as in vLLM, where draft and target never draw with the same numbers
  const propose = pickWith(draft.model, job, decoding, job.seed + 1)
  return (context, seen, banned) => {
    const proposed = propose(context, seen, banned)
    const probability = Math.exp(context.next(model).logprobOf(proposed))
    return probability >= draft.leastProbability ? proposed : pick(context, seen, banned)
  }
}

function pickWith(model: LanguageModel, { sampling }: Job, decoding: Decoding, seed: number): TokenPicker {
  const draws = startDraws(decoding.sampler, seed)
  return (context, seen, banned) => {
    const distribution = context.next(model)
    const scores =
      decoding.mode === 'processed' ? processLogprobs(distribution, sampling, seen, banned) : undefined
    return pickToken(distribution, sampling, seen, banned, draws(context.length - 1), scores)
  }
}
