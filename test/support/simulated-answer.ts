import type { ReferencePosition, SamplingDefaults } from '../../src/engine/index.js'
import { createRandom, type Random } from '../../src/prompts/index.js'
import type { AnswerComparison } from '../../src/verification/index.js'
import { FACTS } from './answer-comparison.js'

/** How the logits of the miner's server differ from those of the reference. */
export interface Noise {
  /** Standard deviation of the noise of every logit, in nats. */
  readonly usual: number
  /** Of the noise at a twentieth of the positions. */
  readonly rare?: number
  /** Logits are rounded to a multiple of this on both sides, as bfloat16 rounds those between 16 and 32. */
  readonly rounding?: number
}

/** Noise of servers that run the same weights, from the mildest to the worst. */
export const HONEST_NOISE = {
  'same card': { usual: 0 },
  'other card': { usual: 0.05, rounding: 0.125 },
  'integer kernels': { usual: 0.1, rounding: 0.125 },
  'FP8 cache': { usual: 0.12, rare: 0.35, rounding: 0.125 },
} as const satisfies Record<string, Noise>

export interface SimulationOptions {
  readonly temperature: number
  readonly tokens: number
  readonly noise?: Noise
  /** What the miner's server reports. */
  readonly report?: 'raw' | 'processed'
  /** How the miner's server truncates; those of the model's files unless `facts` says otherwise. */
  readonly cut?: SamplingDefaults
  /** Whether the validator knows the cut from the model's files. */
  readonly isCutKnown?: boolean
}

const VOCABULARY = 120
const TOP_K = 20

/**
 * An honest answer as two servers see it: one samples and reports, the other scores. Two of five positions are nearly
 * certain, as in text; the others have one to several likely tokens.
 */
export function simulateAnswer(seed: string, options: SimulationOptions): AnswerComparison {
  const { temperature, tokens, noise = { usual: 0 }, report = 'raw', cut, isCutKnown = true } = options
  const random = createRandom(seed)
  const positions: ReferencePosition[] = []
  const answer: { id: number; logprob: number }[] = []
  // The noise of one answer is of one kind: some batches are noisier than others.
  const scale = 0.5 + random.next()
  for (let index = 0; index < tokens; index++) {
    const logits = drawLogits(random)
    const isRare = noise.rare !== undefined && random.next() < 0.05
    const deviation = (isRare ? (noise.rare ?? 0) : noise.usual) * scale
    const round = (logit: number) =>
      noise.rounding ? Math.round(logit / noise.rounding) * noise.rounding : logit
    const theirs = logits.map((logit) => round(logit + deviation * normal(random)))
    const ours = normalise(logits.map(round))
    const raw = normalise(theirs)
    const isGreedy = temperature <= 0
    const kept = isGreedy
      ? raw.map((logprob) => logprob * 1e4)
      : truncate(normalise(theirs.map((logit) => logit / temperature)), cut)
    const id = sample(kept, random.next())
    const claimed = report === 'processed' && !isGreedy ? (kept[id] ?? 0) : (raw[id] ?? 0)
    positions.push(positionOf(ours, id))
    answer.push({ id, logprob: Math.min(0, Math.fround(claimed)) })
  }
  return {
    temperature,
    maxTokens: tokens,
    mayBeCut: cut !== undefined,
    finishReason: 'length',
    tokens: answer,
    reference: { positions, next: positionOf(normalise(drawLogits(random)), 0) },
    facts: { ...FACTS, eosTokenIds: [], ...(cut && isCutKnown ? { samplingDefaults: cut } : {}) },
    topK: TOP_K,
  }
}

function drawLogits(random: Random): number[] {
  const isCertain = random.next() < 0.4
  const lead = isCertain ? 4 + 10 * random.next() : 0
  const slope = 0.4 + 2 * random.next()
  return Array.from({ length: VOCABULARY }, (_, rank) =>
    rank === 0 ? 24 + lead : 24 - slope * Math.log2(1 + rank) * 1.5 - 0.6 * random.next(),
  )
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
}

function normalise(logits: readonly number[]): number[] {
  const most = Math.max(...logits)
  const logSum = most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0))
  return logits.map((logit) => logit - logSum)
}

/** The distribution that a server samples from after top_k, min_p and top_p; excluded tokens have -Infinity. */
function truncate(
  logprobs: readonly number[],
  { topP = 1, topK = VOCABULARY, minP = 0 }: SamplingDefaults = {},
) {
  const order = logprobs.map((logprob, id) => ({ id, logprob })).sort((a, b) => b.logprob - a.logprob)
  const least = minP > 0 ? (order[0]?.logprob ?? 0) + Math.log(minP) : Number.NEGATIVE_INFINITY
  const candidates = order.slice(0, topK).filter(({ logprob }) => logprob >= least)
  const whole = candidates.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)
  let before = 0
  const kept = new Set<number>()
  for (const { id, logprob } of candidates) {
    if (kept.size > 0 && before >= topP * whole) break
    kept.add(id)
    before += Math.exp(logprob)
  }
  return logprobs.map((logprob, id) => (kept.has(id) ? logprob - Math.log(before) : Number.NEGATIVE_INFINITY))
}

function sample(logprobs: readonly number[], dice: number): number {
  const most = Math.max(...logprobs)
  const powers = logprobs.map((logprob) => Math.exp(logprob - most))
  let left = dice * powers.reduce((sum, power) => sum + power, 0)
  const index = powers.findIndex((power) => {
    left -= power
    return left < 0
  })
  return Math.max(0, index)
}

/** The top of a distribution and the token itself, as prompt_logprobs has them. */
function positionOf(logprobs: readonly number[], own: number): ReferencePosition {
  const order = logprobs.map((_, id) => id).sort((a, b) => (logprobs[b] ?? 0) - (logprobs[a] ?? 0))
  const top = order.slice(0, TOP_K)
  const shown = top.includes(own) ? top : [...top, own]
  return new Map(
    shown.map((id) => [id, { logprob: Math.fround(logprobs[id] ?? 0), rank: order.indexOf(id) + 1 }]),
  )
}
