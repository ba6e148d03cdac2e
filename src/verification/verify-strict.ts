import type { ModelFacts, Reference, ReferenceEngine } from '../engine/index.js'
import type { InferenceRequest, OutputToken } from '../inference/index.js'
import { TargonError } from '../kernel/index.js'
import { checkLength, checkStream, checkText, checkTokens, type Failure, failure } from './checks/index.js'
import type { SoundToken } from './evidence.js'
import { judgeStrict } from './judge-strict.js'
import { THRESHOLDS } from './thresholds.js'
import type { Verdict } from './verdict.js'
import type { ReadyVerification } from './verify-answer.js'

/** Hygiene, then one scoring call and one detokenise call at once, then the rules. */
export async function verifyStrict(verification: ReadyVerification): Promise<Verdict> {
  const { request, answer, engine, facts, signal } = verification
  const early = checkStream(answer) ?? checkLength(answer.tokens.length, request.maxTokens)
  if (early) return early
  const tokens = checkTokens(answer.tokens, facts.vocabularySize)
  if ('kind' in tokens) return tokens
  const input = await tokenizeInput(engine, request, signal)
  const misfit = checkRoom(input.length, request.maxTokens, facts.maxModelLength)
  if (misfit) return misfit

  const output = tokens.map((token) => token.id)
  const topK = Math.min(THRESHOLDS.referenceTopK.value, facts.maxLogprobs)
  const { temperature, seed } = request
  const [text, reference] = await Promise.allSettled([
    engine.detokenize(spokenIds(answer.tokens, output, facts), signal),
    engine.score({ input, output, temperature, topK, ...(seed === undefined ? {} : { seed }) }, signal),
  ])
  if (text.status === 'fulfilled') {
    const mismatch = checkText(answer.text, text.value)
    if (mismatch) return mismatch
  }
  if (reference.status === 'rejected') return await blameRefusal(verification, input, reference.reason)
  const verdict = judgeStrict({
    temperature,
    maxTokens: request.maxTokens,
    finishReason: answer.finishReason,
    tokens,
    reference: reference.value,
    facts,
    topK,
  })
  if (verdict.kind !== 'verified' || text.status === 'fulfilled') return verdict
  return await blameRefusal(verification, input, text.reason)
}

/**
 * The ids that spell text. vLLM streams the end token without text, and how it is written differs from model to model
 * (`<|eot_id|>`, `<｜end▁of▁sentence｜>`, `[|endofturn|]`): one at the very end that was streamed without text spells nothing.
 */
function spokenIds(
  tokens: readonly OutputToken[],
  ids: readonly number[],
  { eosTokenIds, endOfTurnId }: ModelFacts,
): readonly number[] {
  const last = ids.at(-1)
  const isEnd = last !== undefined && (last === endOfTurnId || eosTokenIds.includes(last))
  return isEnd && tokens.at(-1)?.text === '' ? ids.slice(0, -1) : ids
}

export function tokenizeInput(
  engine: ReferenceEngine,
  request: InferenceRequest,
  signal: AbortSignal,
): Promise<readonly number[]> {
  return request.endpoint === 'chat'
    ? engine.tokenizeChat(request.messages, signal)
    : engine.tokenizeText(request.prompt, signal)
}

/** By max_tokens, not by what arrived: else a miner could choose a length that escapes. */
function checkRoom(inputLength: number, maxTokens: number, room: number | undefined): Verdict | undefined {
  if (room === undefined || inputLength + maxTokens + 1 <= room) return undefined
  return {
    kind: 'inconclusive',
    reason: 'engine-answer',
    detail: `Prompt (${inputLength} tokens) and answer (${maxTokens}) do not fit the engine’s ${room} tokens.`,
  }
}

/**
 * An engine that refuses this answer's ids but takes the prompt's own was given ids it does not know (a vocabulary
 * padded beyond its tokenizer): the miner's doing. Anything else is the engine's.
 */
async function blameRefusal(
  { engine, request, signal }: ReadyVerification,
  input: readonly number[],
  error: unknown,
): Promise<Failure> {
  if (!(error instanceof TargonError) || error.code !== 'ENGINE_REFUSED') throw error
  const control: readonly SoundToken['id'][] = input.slice(-3)
  const reference: Reference = await engine.score(
    { input, output: control, temperature: request.temperature, topK: 1 },
    signal,
  )
  if (reference.positions.length !== control.length) throw error
  return failure('BAD_TOKEN', `The engine refuses these token ids: ${error.message}`)
}
