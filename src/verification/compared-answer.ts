import { at, type ComparedAnswer, logprobAtTemperature } from '../evidence/index.js'
import type { InferenceRequest } from '../inference/index.js'
import { distributionsAt, type PreparedAnswer } from './answer-comparison.js'

/** A token counts at most this many nats when raw and scaled logprobs are told apart. */
const MOST_NATS = 1

/**
 * An answer beside its reference, for the evidence over many answers; it shares the columns of the verdict. Undefined when
 * the engine scales its logprobs, which tells too little of the distributions at temperature 1.
 */
export function describeCompared(
  answer: PreparedAnswer,
  request: Pick<InferenceRequest, 'seed'>,
  promptTokens: number,
): ComparedAnswer | undefined {
  if (answer.referenceTemperature !== 1) return undefined
  const { temperature, tokens, logprobs, top, mayBeCut } = answer
  const claimed = Float64Array.from(tokens, ({ logprob }) => logprob)
  return {
    temperature,
    seed: request.seed,
    promptTokens,
    tokenIds: Float64Array.from(tokens, ({ id }) => id),
    claimed,
    claimedAt: claimedTemperature(answer, claimed),
    reference: logprobs,
    top,
    isCut: mayBeCut,
  }
}

/**
 * Temperature of the claimed logprobs: 1 when they are raw, the request's when the server scales them, whichever fits
 * better. NaN where a cut may have changed them: then they cannot be compared at all.
 */
function claimedTemperature(answer: PreparedAnswer, claimed: Float64Array): number {
  const { temperature, logprobs, mayBeCut } = answer
  if (temperature <= 0) return 1
  if (mayBeCut) return Number.NaN
  if (temperature === 1) return 1
  const scaled = distributionsAt(answer, 1 / temperature)
  let lead = 0
  for (let index = 0; index < claimed.length; index++) {
    const [stated, raw] = [at(claimed, index), at(logprobs, index)]
    const { low, high } = logprobAtTemperature(raw, scaled, index)
    const distance = Math.max(0, low - stated, stated - high)
    lead += Math.min(MOST_NATS, distance) - Math.min(MOST_NATS, Math.abs(stated - raw))
  }
  return lead < 0 ? temperature : 1
}
