import type { ComparedAnswer, Dialect } from '../../../src/evidence/index.js'
import { positionState, seedWords, tokenGumbel } from '../../../src/evidence/samplers/index.js'
import { type FastRandom, fastRandom } from './random.js'
import { createText, ID_SPACE, logSoftmax, logSumOf, TOP_K, VOCABULARY } from './text.js'

/** How a miner's server differs from the reference engine. */
export interface Server {
  /** Standard deviation of Gaussian noise on every logit, in nats. */
  readonly noise: number
  /** Share of the noise's variance that is the same at all positions of an answer. */
  readonly common?: number
  /** Correlation of the other noise with that of the position before. */
  readonly correlation?: number
  /** Standard deviation of the logarithm of the noise's size between answers: some batches are noisier than others. */
  readonly spread?: number
  /** Logits are rounded to a multiple of this on both sides, as bfloat16 rounds those between 16 and 32 to 0.125. */
  readonly rounding?: number
  /** Served temperature as a multiple of the one asked for. */
  readonly temperatureFactor?: number
  /** Share of positions whose distribution has nothing to do with the reference's: another prompt or model. */
  readonly unrelated?: number
  /** Share of positions drawn from a draft model with this much noise, not verified. */
  readonly draft?: { readonly share: number; readonly noise: number }
  /** States the log probabilities of the true model, which rescores the tokens. */
  readonly isRescored?: boolean
  /** The sampler; undefined draws independently of the seed. */
  readonly dialect?: Dialect | undefined
}

export interface AnswerPlan {
  readonly server: Server
  readonly temperature: number
  readonly tokens: number
}

export interface Simulator {
  answer(plan: AnswerPlan): ComparedAnswer
}

/** Ranks below this one are too unlikely for their noise to matter. */
const NOISY_RANKS = 40

/** By rounding; the same for all simulators, because making one costs as much as several answers. */
const texts = new Map<number, readonly Position[]>()

function textOf(step: number): readonly Position[] {
  const known = texts.get(step)
  if (known) return known
  const text = createText(0x7e47).map((logits) => positionOf(round(logits, step)))
  texts.set(step, text)
  return text
}

/** @param seed same seed, same answers */
export function createSimulator(seed: number): Simulator {
  const random = fastRandom(seed)
  return { answer: (plan) => simulate(plan, textOf(plan.server.rounding ?? 0), random) }
}

/** The reference's distribution at a position; made once, used for many tokens. */
interface Position {
  readonly logits: Float64Array
  readonly logprobs: Float64Array
  /** Probability of all tokens outside the list. */
  readonly tail: number
}

function positionOf(logits: Float64Array): Position {
  const logprobs = logSoftmax(logits)
  const listed = logprobs.subarray(0, TOP_K).reduce((sum, logprob) => sum + Math.exp(logprob), 0)
  return { logits, logprobs, tail: Math.max(0, 1 - listed) }
}

function simulate(plan: AnswerPlan, text: readonly Position[], random: FastRandom): ComparedAnswer {
  const { server, temperature, tokens } = plan
  const seed = Math.floor(random.uniform() * 2 ** 48)
  const promptTokens = 20 + Math.floor(random.uniform() * 400)
  const answer = emptyAnswer(plan, seed, promptTokens)
  const words = seedWords(seed)
  const noise = noiseOf(server, random)
  const pick = () => text[Math.floor(random.uniform() * text.length)] ?? EMPTY
  const theirs = new Float64Array(VOCABULARY)
  for (let position = 0; position < tokens; position++) {
    const { logits, logprobs, tail } = pick()
    const firstId = Math.floor(random.uniform() * ID_SPACE)
    const idOf = (rank: number) => (firstId + rank * 821) % ID_SPACE
    const isUnrelated = random.uniform() < (server.unrelated ?? 0)
    const isDraft = random.uniform() < (server.draft?.share ?? 0)
    theirs.set(isUnrelated ? shuffled(pick().logits, random) : logits)
    const offsets = noise()
    for (let rank = 0; rank < NOISY_RANKS; rank++) {
      const draft = isDraft ? (server.draft?.noise ?? 0) * random.normal() : 0
      theirs[rank] = roundOne((theirs[rank] ?? 0) + (offsets[rank] ?? 0) + draft, server.rounding)
    }
    const { dialect } = server
    const state = dialect ? positionState(dialect, words, promptTokens - 1 + position) : 0
    const rank = draw(theirs, temperature * (server.temperatureFactor ?? 1), (candidate) =>
      dialect ? tokenGumbel(dialect, state, idOf(candidate)) : -Math.log(-Math.log(random.uniform())),
    )
    answer.tokenIds[position] = idOf(rank)
    answer.reference[position] = logprobs[rank] ?? 0
    const stated = server.isRescored ? (logprobs[rank] ?? 0) : (theirs[rank] ?? 0) - logSumOf(theirs)
    answer.claimed[position] = Math.fround(stated)
    for (let entry = 0; entry < TOP_K; entry++) answer.top.ids[position * TOP_K + entry] = idOf(entry)
    answer.top.logprobs.set(logprobs.subarray(0, TOP_K), position * TOP_K)
    answer.top.tail[position] = tail
  }
  return answer
}

const EMPTY: Position = positionOf(new Float64Array(VOCABULARY))

function emptyAnswer(
  { temperature, tokens }: AnswerPlan,
  seed: number,
  promptTokens: number,
): ComparedAnswer {
  return {
    ...{ temperature, seed, promptTokens, claimedAt: 1, isCut: false },
    tokenIds: new Float64Array(tokens),
    claimed: new Float64Array(tokens),
    reference: new Float64Array(tokens),
    top: {
      starts: Float64Array.from({ length: tokens + 1 }, (_, position) => position * TOP_K),
      ids: new Float64Array(tokens * TOP_K),
      logprobs: new Float64Array(tokens * TOP_K),
      tail: new Float64Array(tokens),
      vocabularySize: VOCABULARY,
    },
  }
}

/** The noise of the likeliest ranks, position after position; the array is overwritten for the next one. Correlation is by rank, so that leads stay wrong in one direction. */
function noiseOf(
  { noise, common = 0, correlation = 0, spread = 0 }: Server,
  random: FastRandom,
): () => Float64Array {
  const size = noise * Math.exp(spread * random.normal() - spread ** 2)
  const draw = () => Float64Array.from({ length: NOISY_RANKS }, () => random.normal())
  const shared = draw()
  const moving = draw()
  const noises = new Float64Array(NOISY_RANKS)
  const [fresh, own, joint] = [Math.sqrt(1 - correlation ** 2), Math.sqrt(1 - common), Math.sqrt(common)]
  return () => {
    for (let rank = 0; rank < NOISY_RANKS; rank++) {
      const next = correlation * (moving[rank] ?? 0) + fresh * random.normal()
      moving[rank] = next
      noises[rank] = size * (own * next + joint * (shared[rank] ?? 0))
    }
    return noises
  }
}

/** The rank with the largest logit/temperature plus Gumbel noise; the largest logit at temperature 0. */
function draw(logits: Float64Array, temperature: number, gumbel: (rank: number) => number): number {
  let [best, most] = [0, Number.NEGATIVE_INFINITY]
  for (let rank = 0; rank < logits.length; rank++) {
    const logit = logits[rank] ?? 0
    // Gumbel noise above 23 occurs once in 10^10 draws.
    if (temperature > 0 && logit / temperature + 23 < most) continue
    const score = temperature > 0 ? logit / temperature + gumbel(rank) : logit
    if (score > most) [best, most] = [rank, score]
  }
  return best
}

/** The same logits on other tokens: the likeliest of an unrelated distribution is rarely the reference's. */
function shuffled(logits: Float64Array, random: FastRandom): Float64Array {
  const order = logits.slice()
  for (let rank = NOISY_RANKS - 1; rank > 0; rank--) {
    const other = Math.floor(random.uniform() * (rank + 1))
    ;[order[rank], order[other]] = [order[other] ?? 0, order[rank] ?? 0]
  }
  return order
}

function round(logits: Float64Array, step: number): Float64Array {
  return step > 0 ? logits.map((logit) => roundOne(logit, step)) : logits
}

function roundOne(logit: number, step: number | undefined): number {
  return step ? Math.round(logit / step) * step : logit
}
