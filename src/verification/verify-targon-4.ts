import type { ReferencePosition } from '../engine/index.js'
import type { OutputToken } from '../inference/index.js'
import { TargonError } from '../kernel/index.js'
import { checkStream } from './checks/index.js'
import {
  askRepeatedly,
  type CheckResult,
  checkedIndices,
  checkLogprobs,
  checkMembership,
  judgeTargon4,
  type MembershipResult,
  membershipTopK,
  referenceTopK,
  sampleRange,
  type Targon4Token,
} from './targon-4/index.js'
import type { Verdict } from './verdict.js'
import { type ReadyVerification, tokenizePrompt } from './verification-request.js'

/** What the client of 4.4.1 (targon/request.py) writes where a miner sent nothing. */
const NO_LOGPROB = -100
const NO_TOKEN_ID = -1

/**
 * The verdict 4.4.1 would reach. The engine scores the text, tokenized again, so the ids and lengths the miner claims are
 * shifted against the reference exactly as in 4.4.1.
 */
export async function verifyTargon4(verification: ReadyVerification): Promise<Verdict> {
  const { request, answer, engine } = verification
  if (answer.fault || answer.status !== 200) {
    return checkStream(answer) ?? { kind: 'failed', cause: 'BAD_STREAM', detail: 'The stream ended early.' }
  }
  const input = await tokenizePrompt(verification)
  return await judgeTargon4(
    {
      servedModel: engine.model,
      model: request.model,
      hasPrompt: true,
      temperature: request.temperature,
      maxTokens: request.maxTokens,
      tokens: answer.tokens.map(({ tokenId, logprob }) => ({
        id: tokenId ?? NO_TOKEN_ID,
        logprob: logprob ?? NO_LOGPROB,
      })),
    },
    {
      logprobs: (tokens) => compareLogprobs(verification, input, tokens),
      random: (tokens) => continueRandomly(verification, input, tokens),
    },
  )
}

async function compareLogprobs(
  { request, answer, engine, facts, signal }: ReadyVerification,
  input: readonly number[],
  tokens: readonly Targon4Token[],
): Promise<CheckResult> {
  const output = await retokenize(textOf(answer.tokens), engine, signal)
  const topK = referenceTopK(request.temperature)
  if (topK > facts.maxLogprobs) {
    return {
      kind: 'no-verdict',
      detail: `The engine returns ${facts.maxLogprobs} logprobs per position, but ${topK} are needed.`,
    }
  }
  const { temperature, maxTokens } = request
  const reference = await askRepeatedly(() =>
    engine.score({ input, output, temperature, topK }, signal).catch((error: unknown) => {
      if (error instanceof TargonError && error.code === 'ENGINE_ANSWER') return undefined
      throw error
    }),
  )
  if (!reference) return { kind: 'no-verdict', detail: 'The engine returned no reference in five attempts.' }
  return checkLogprobs({
    temperature,
    maxTokens,
    tokens,
    reference: reference.positions.map((position, index) => narrow(position, topK, output[index])),
    next: narrow(reference.next, topK, undefined),
    eosTokenId: facts.tokenizerEosId ?? facts.eosTokenIds[0] ?? -1,
    endOfTurnId: facts.endOfTurnId ?? -1,
  })
}

async function continueRandomly(
  { request, answer, engine, signal, clock }: ReadyVerification,
  input: readonly number[],
  tokens: readonly Targon4Token[],
): Promise<MembershipResult> {
  const indices = checkedIndices(tokens.length, pickIndices(tokens.length, clock.now()))
  const topK = membershipTopK(request.temperature)
  const tops = new Map<number, ReadonlySet<number>>()
  for (const index of new Set(indices)) {
    const text = await textBefore(index, answer.tokens, engine, signal)
    const output = await retokenize(text, engine, signal)
    const { next } = await engine.score({ input, output, temperature: request.temperature, topK }, signal)
    tops.set(index, new Set(narrow(next, topK, undefined).keys()))
  }
  return checkMembership(
    tokens.map((token) => token.id),
    indices,
    (index) => tops.get(index) ?? null,
  )
}

/** Up to three indices between the first and the last. 4.4.1 draws them at random so that miners cannot predict them. */
function pickIndices(tokenCount: number, salt: number): number[] {
  const { first, last, size } = sampleRange(tokenCount)
  const left = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
  const picked: number[] = []
  let state = (Math.trunc(salt) ^ (tokenCount * 0x9e3779b1)) >>> 0
  while (picked.length < size) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    picked.push(...left.splice(Math.floor((state / 2 ** 32) * left.length), 1))
  }
  return picked
}

/**
 * The text before a token. Where it came in one chunk with earlier ones, their text is what their ids add to the text so far,
 * without the start of a character that the engine would not have streamed yet.
 */
async function textBefore(
  index: number,
  tokens: readonly OutputToken[],
  engine: ReadyVerification['engine'],
  signal: AbortSignal,
): Promise<string> {
  let start = index
  while (start > 0 && tokens[start]?.sharesText) start--
  const text = textOf(tokens.slice(0, start))
  const ids = tokens.slice(0, index).map(({ tokenId }) => tokenId ?? NO_TOKEN_ID)
  if (start === index || ids.some((id) => id < 0)) return text
  const [earlier, whole] = await Promise.all([
    engine.detokenize(ids.slice(0, start), signal),
    engine.detokenize(ids, signal),
  ])
  return text + withoutPartOf(whole).slice(withoutPartOf(earlier).length)
}

/** Without the start of a character at the end. */
function withoutPartOf(text: string): string {
  return text.replace(/\uFFFD+$/, '')
}

function textOf(tokens: readonly OutputToken[]): string {
  return tokens.map((token) => token.text).join('')
}

async function retokenize(
  text: string,
  engine: ReadyVerification['engine'],
  signal: AbortSignal,
): Promise<readonly number[]> {
  return text === '' ? [] : engine.tokenizeText(text, signal, { addSpecialTokens: false })
}

/** What the engine would have returned for exactly K entries. */
function narrow(position: ReferencePosition, topK: number, tokenId: number | undefined): ReferencePosition {
  return new Map([...position].filter(([id, entry]) => entry.rank <= topK || id === tokenId))
}
