import { at } from '../distributions.js'
import { flipProbability, type Margin, MarginBets, MarginSums } from '../margins.js'
import type { NoiseLevels } from '../noise.js'
import type { Dialect, StatisticObservation } from '../observation.js'
import type { PreparedAnswer } from '../prepared-answer.js'
import { positionState, type SeedWords, tokenGumbel } from '../samplers/index.js'

/**
 * S, the seed-synchronised margin: with the seed known, an honest server draws the token whose logit/temperature plus noise
 * is largest, and the noise is a function of seed, position and token id (`samplers/`). A token that is not the winner is
 * weighed by the winner's lead (`margins.ts`). A token outside the reference's top list is a candidate with its own noise, so
 * that it is no mismatch where it really wins. Needs no claimed log probabilities.
 * Source: Token-DiFR (arXiv 2511.20621); the bound for unseen tokens is in `flipProbability`.
 */
export function observeSeeded(
  answer: PreparedAnswer,
  levels: NoiseLevels,
  seed: SeedWords,
  dialect: Dialect,
): SeededObservation {
  const suspicion = new MarginBets(levels.suspicion)
  const enforced = new MarginBets(levels.enforced)
  const sums = new MarginSums()
  let [tokens, ratio] = [0, 0]
  eachSeededMargin(answer, seed, dialect, answer.length, (margin, winner) => {
    tokens++
    ratio += synchronyGain(margin, at(answer.sampling.probabilities, winner))
    suspicion.add(margin)
    enforced.add(margin)
    sums.add(margin)
  })
  const bets = { suspicion: suspicion.logFactors, enforced: enforced.logFactors }
  return { ratio, observation: tokens === 0 ? undefined : { tokens, ...bets, sums: sums.sums } }
}

export interface SeededObservation {
  readonly observation: StatisticObservation | undefined
  /** Log likelihood ratio of following the seed in this dialect against not following it. */
  readonly ratio: number
}

/** The same ratio for the first tokens only, to find a dialect. */
export function synchronyRatio(
  answer: PreparedAnswer,
  seed: SeedWords,
  dialect: Dialect,
  tokens: number,
): number {
  let ratio = 0
  eachSeededMargin(answer, seed, dialect, Math.min(tokens, answer.length), (margin, winner) => {
    ratio += synchronyGain(margin, at(answer.sampling.probabilities, winner))
  })
  return ratio
}

/** Noise of a server that still follows the seed: far more than any model that resembles the reference. Nats. */
const WIDEST_NOISE = 0.7
/** Share of mismatches that a server may have at any lead, whether it follows the seed or not. */
const MISMATCHES = 0.05

/** What one token adds to the ratio; `independent` is the probability of drawing the winner without the seed. */
function synchronyGain(margin: Margin, independent: number): number {
  const scale = Math.min(WIDEST_NOISE, margin.temperature / 2)
  const followed = 1 - Math.min(0.5, flipProbability(margin, scale) + MISMATCHES)
  const chance = Math.min(1 - MISMATCHES, Math.max(0.001, independent))
  return margin.isMismatch ? Math.log((1 - followed) / (1 - chance)) : Math.log(followed / chance)
}

/**
 * Recomputes the draw at every position.
 *
 * @param use given the margin, which is overwritten for the next position, and the winner's entry in the top list
 */
function eachSeededMargin(
  answer: PreparedAnswer,
  seed: SeedWords,
  dialect: Dialect,
  length: number,
  use: (margin: Margin, winner: number) => void,
): void {
  const { top, tokenIds, reference, sampling, samplingTemperature: temperature, promptTokens } = answer
  const scores = new Float64Array(64)
  const margin: Margin = { leads: new Float64Array(64), count: 0, unseen: 0, temperature, isMismatch: false }
  for (let position = 0; position < length; position++) {
    const start = at(top.starts, position)
    const count = Math.min(at(top.starts, position + 1) - start, scores.length)
    if (count <= 0) continue
    const state = positionState(dialect, seed, promptTokens - 1 + position)
    let winner = 0
    for (let entry = 0; entry < count; entry++) {
      const gumbel = tokenGumbel(dialect, state, at(top.ids, start + entry))
      scores[entry] = at(top.logprobs, start + entry) / temperature + gumbel
      if (at(scores, entry) > at(scores, winner)) winner = entry
    }
    const best = at(scores, winner)
    margin.count = 0
    let isInTop = false
    const id = at(tokenIds, position)
    for (let entry = 0; entry < count; entry++) {
      if (at(top.ids, start + entry) === id) isInTop = true
      if (entry !== winner) margin.leads[margin.count++] = (best - at(scores, entry)) * temperature
    }
    margin.unseen = at(sampling.tail, position) * Math.exp(at(sampling.highLogNormaliser, position) - best)
    margin.isMismatch = isInTop
      ? at(top.ids, start + winner) !== id
      : !(at(reference, position) / temperature + tokenGumbel(dialect, state, id) > best)
    use(margin, start + winner)
  }
}
