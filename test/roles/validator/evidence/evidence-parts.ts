import { packJudged, unpackWords } from '../../../../src/bundles/judged.js'
import { recordedEngine } from '../../../../src/bundles/recorded-engine.js'
import type { ComparedAnswer } from '../../../../src/evidence/index.js'
import type { InferenceRequest } from '../../../../src/inference/index.js'
import { createRandom } from '../../../../src/prompts/index.js'
import { type JudgedAnswer, verifyAnswer } from '../../../../src/verification/index.js'
import { ManualClock } from '../../../support/manual-clock.js'

const TOP = 20

/** A greedy answer of 200 tokens whose server ranks tokens by logits with this noise, in nats. */
export function greedyAnswer(seed: string, noise: number, tokens = 200): ComparedAnswer {
  const random = createRandom(seed)
  const starts = Float64Array.from({ length: tokens + 1 }, (_, index) => index * TOP)
  const ids = Float64Array.from({ length: tokens * TOP }, (_, index) => 100 + (index % TOP))
  const logprobs = new Float64Array(tokens * TOP)
  const tokenIds = new Float64Array(tokens)
  const reference = new Float64Array(tokens)
  for (let position = 0; position < tokens; position++) {
    const gaps = Array.from({ length: TOP - 1 }, () => 0.6 * random.next())
    const logits = [0, ...gaps.map((_, rank) => -gaps.slice(0, rank + 1).reduce((sum, gap) => sum + gap, 0))]
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0) * 1.001)
    for (const [rank, logit] of logits.entries()) logprobs[position * TOP + rank] = logit - total
    const theirs = logits.map((logit) => logit + noise * normal(() => random.next()))
    const drawn = theirs.indexOf(Math.max(...theirs))
    tokenIds[position] = 100 + drawn
    reference[position] = logprobs[position * TOP + drawn] ?? 0
  }
  const tail = new Float64Array(tokens).fill(0.001)
  return {
    ...{ temperature: 0, seed: 1, promptTokens: 10, tokenIds, claimed: reference, claimedAt: 1, reference },
    top: { starts, ids, logprobs, tail, vocabularySize: 32_000 },
    isCut: false,
  }
}

function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
}

/** How such an answer was judged alone: verified, whatever its tokens. */
export function judgedAnswer(compared: ComparedAnswer, request: InferenceRequest): JudgedAnswer {
  const { tokenIds, claimed, top } = compared
  const tokens = Array.from(tokenIds, (tokenId, index) => ({
    ...{ text: ` w${tokenId}`, tokenId, logprob: claimed[index] },
  }))
  const text = tokens.map((token) => token.text).join('')
  const timing = { timeToFirstTokenMs: 1, timeForAllTokensMs: 1, totalMs: 2 }
  return {
    request,
    answer: {
      ...{
        tokens,
        text,
        finishReason: 'length',
        timing,
        tokensPerSecond: 100,
        status: 200,
        fault: undefined,
      },
      ...{ chunks: tokens.length, lostTokens: false, burstShare: 0 },
    },
    facts: {
      ...{ vocabularySize: top.vocabularySize, eosTokenIds: [2], endOfTurnId: undefined },
      ...{ endpoints: ['completion'], maxLogprobs: TOP, dialect: 'v1', scaledLogprobs: false },
      maxModelLength: 4096,
    },
    ranks: tokenIds.map((id, index) => top.ids.indexOf(id, top.starts[index]) - (top.starts[index] ?? 0) + 1),
    verdict: { kind: 'verified' },
  }
}

/** The same with the verdict of the rules `strict`. */
export async function strictlyJudged(
  compared: ComparedAnswer,
  request: InferenceRequest,
): Promise<JudgedAnswer> {
  const judged = judgedAnswer(compared, request)
  const packed = await packJudged(judged)
  const words = unpackWords(packed, compared.tokenIds.length)
  if (!words) throw new Error('no words')
  const engine = recordedEngine(request.model, packed, words, compared)
  const [clock, { signal }] = [new ManualClock(), new AbortController()]
  const { answer } = judged
  return {
    ...judged,
    verdict: await verifyAnswer({ request, answer, engine, rules: 'strict', clock, signal }),
  }
}
