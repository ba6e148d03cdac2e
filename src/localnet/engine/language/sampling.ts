import type { Distribution } from './distribution.js'
import type { Draw, GumbelDraw } from './draws.js'

/** The sampling parameters of a request, with vLLM's defaults filled in. */
export interface SamplingSettings {
  /** 0: always the most likely token. */
  readonly temperature: number
  /** 1: off. */
  readonly topP: number
  /** 0: off. */
  readonly topK: number
  /** 0: off. */
  readonly minP: number
  readonly presencePenalty: number
  readonly frequencyPenalty: number
  /** 1: off. */
  readonly repetitionPenalty: number
  readonly logitBias: ReadonlyMap<number, number>
}

export const NEUTRAL_SAMPLING: SamplingSettings = {
  temperature: 1,
  topP: 1,
  topK: 0,
  minP: 0,
  presencePenalty: 0,
  frequencyPenalty: 0,
  repetitionPenalty: 1,
  logitBias: new Map(),
}

/** Below this temperature vLLM is greedy (vllm/sampling_params.py _SAMPLING_EPS). */
const GREEDY_BELOW = 1e-5

/** Tokens that the penalties apply to. */
export interface SeenTokens {
  readonly prompt: ReadonlySet<number>
  /** How often each id was generated. */
  readonly output: ReadonlyMap<number, number>
}

/**
 * Logprobs after penalties, temperature, top-k, top-p and min-p: tokens are sampled from these, and a 0.6.x server
 * reports them. Excluded and banned ids have −Infinity. A temperature of 0 does not scale.
 */
export function processLogprobs(
  distribution: Distribution,
  settings: SamplingSettings,
  seen: SeenTokens,
  banned: ReadonlySet<number>,
): Float64Array {
  const scores = distribution.logprobs()
  applyPenalties(scores, settings, seen)
  for (const [id, bias] of settings.logitBias) scores[id] = (scores[id] ?? 0) + bias
  for (const id of banned) scores[id] = Number.NEGATIVE_INFINITY
  const temperature = settings.temperature < GREEDY_BELOW ? 1 : settings.temperature
  if (temperature !== 1)
    for (let id = 0; id < scores.length; id++) scores[id] = (scores[id] ?? 0) / temperature
  normalise(scores)
  if (settings.topK > 0 || settings.topP < 1 || settings.minP > 0) {
    excludeUnlikely(scores, settings)
    normalise(scores)
  }
  return scores
}

/**
 * Picks the next id: by the noise of each token, or by one random fraction, compared with the cumulative probability from the
 * most likely id down. With and without `scores` the answer to a seed is the same.
 *
 * @param draw not used at temperature 0
 * @param scores the processed logprobs, if the caller already has them
 */
export function pickToken(
  distribution: Distribution,
  settings: SamplingSettings,
  seen: SeenTokens,
  banned: ReadonlySet<number>,
  draw: Draw,
  scores?: Float64Array,
): number {
  const isGreedy = settings.temperature < GREEDY_BELOW
  if (!scores && banned.size === 0 && isPlain(settings)) {
    const [mostLikely = 0] = distribution.head
    if (isGreedy) return mostLikely
    const { temperature } = settings
    const picked =
      'fraction' in draw
        ? distribution.pickFromHead(temperature, draw.fraction)
        : distribution.pickByNoise(temperature, draw)
    if (picked !== undefined) return picked
  }
  const dense = scores ?? processLogprobs(distribution, settings, seen, banned)
  if (isGreedy) return indexOfLargest(dense)
  return 'fraction' in draw ? pickDense(dense, distribution.head, draw.fraction) : pickNoisiest(dense, draw)
}

/** The id with the largest score + noise. */
function pickNoisiest(scores: Float64Array, { gumbelOf, highest }: GumbelDraw): number {
  let picked = indexOfLargest(scores)
  let best = (scores[picked] ?? 0) + gumbelOf(picked)
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id] ?? Number.NEGATIVE_INFINITY
    if (score + highest <= best) continue
    const noisy = score + gumbelOf(id)
    if (noisy <= best) continue
    best = noisy
    picked = id
  }
  return picked
}

/** Only the temperature affects the distribution. */
function isPlain(settings: SamplingSettings): boolean {
  return settings.topP === 1 && settings.topK === 0 && settings.minP === 0 && !reordersTokens(settings)
}

/** Penalties and biases can change the order of the tokens. */
function reordersTokens(settings: SamplingSettings): boolean {
  return (
    settings.presencePenalty !== 0 ||
    settings.frequencyPenalty !== 0 ||
    settings.repetitionPenalty !== 1 ||
    settings.logitBias.size > 0
  )
}

function pickDense(scores: Float64Array, head: readonly number[], fraction: number): number {
  let left = fraction
  let last = indexOfLargest(scores)
  const tryId = (id: number): boolean => {
    const score = scores[id] ?? Number.NEGATIVE_INFINITY
    if (score === Number.NEGATIVE_INFINITY) return false
    last = id
    left -= Math.exp(score)
    return left < 0
  }
  for (const id of head) if (tryId(id)) return id
  const isInHead = new Set(head)
  for (let id = 0; id < scores.length; id++) if (!isInHead.has(id) && tryId(id)) return id
  return last
}

function applyPenalties(scores: Float64Array, settings: SamplingSettings, seen: SeenTokens): void {
  if (settings.repetitionPenalty !== 1) {
    for (const id of new Set([...seen.prompt, ...seen.output.keys()])) {
      const score = scores[id] ?? 0
      scores[id] = score > 0 ? score / settings.repetitionPenalty : score * settings.repetitionPenalty
    }
  }
  if (settings.presencePenalty === 0 && settings.frequencyPenalty === 0) return
  for (const [id, count] of seen.output) {
    scores[id] = (scores[id] ?? 0) - settings.presencePenalty - settings.frequencyPenalty * count
  }
}

function excludeUnlikely(scores: Float64Array, { topK, topP, minP }: SamplingSettings): void {
  const order = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0))
  const floor = minP > 0 ? (scores[order[0] ?? 0] ?? 0) + Math.log(minP) : Number.NEGATIVE_INFINITY
  let mass = 0
  for (const [index, id] of order.entries()) {
    const score = scores[id] ?? 0
    const isExcluded = (topK > 0 && index >= topK) || (index > 0 && mass >= topP) || score < floor
    mass += Math.exp(score)
    if (isExcluded) scores[id] = Number.NEGATIVE_INFINITY
  }
}

function normalise(scores: Float64Array): void {
  const largest = scores[indexOfLargest(scores)] ?? 0
  let mass = 0
  for (const score of scores) mass += Math.exp(score - largest)
  const logMass = largest + Math.log(mass)
  for (let id = 0; id < scores.length; id++) scores[id] = (scores[id] ?? 0) - logMass
}

function indexOfLargest(scores: Float64Array): number {
  let best = 0
  for (let id = 1; id < scores.length; id++) if ((scores[id] ?? 0) > (scores[best] ?? 0)) best = id
  return best
}
