import type { ModelFacts } from '../engine/index.js'
import type { Answer, InferenceRequest } from '../inference/index.js'
import { TargonError } from '../kernel/index.js'
import type { CheckedToken, PreparedAnswer } from './answer-comparison.js'
import { checkLength, checkStream, checkTokenHygiene, type Failure, failure } from './checks/index.js'
import { describeCompared } from './compared-answer.js'
import { judgeStrict } from './judge-strict.js'
import { checkSpelling } from './spelling.js'
import { THRESHOLDS } from './thresholds.js'
import { inconclusive, type Verdict } from './verdict.js'
import { type ReadyVerification, tokenizePrompt } from './verification-request.js'

/** Checks what needs no engine, then sends one scoring and one detokenize call in parallel, then applies the rules. */
export async function verifyStrict(verification: ReadyVerification): Promise<Verdict> {
  const { request, answer, engine, facts, signal } = verification
  const tokens = checkUnscored(request, answer, facts)
  if ('kind' in tokens) return tokens
  const input = await tokenizePrompt(verification)
  const tooLong = checkModelLength(input.length, request.maxTokens, facts.maxModelLength)
  if (tooLong) return tooLong

  const output = tokens.map((token) => token.id)
  const topK = Math.min(THRESHOLDS.referenceTopK.value, facts.maxLogprobs)
  const { temperature } = request
  const [text, reference] = await Promise.allSettled([
    checkSpelling(verification, output),
    engine.score({ input, output, temperature, topK }, signal),
  ])
  if (text.status === 'fulfilled' && text.value) return text.value
  if (reference.status === 'rejected') return await explainRefusal(verification, input, reference.reason)
  const comparison = {
    temperature,
    maxTokens: request.maxTokens,
    mayBeCut: request.mayBeCut === true,
    finishReason: answer.finishReason,
    tokens,
    reference: reference.value,
    facts,
    topK,
  }
  const verdict = judgeStrict(comparison, noteCompared(verification, input.length))
  if (verdict.kind !== 'verified' || text.status === 'fulfilled') return verdict
  return await explainRefusal(verification, input, text.reason)
}

/** The checks that need no engine. @returns the tokens that passed them, or the failure */
export function checkUnscored(
  { maxTokens }: Pick<InferenceRequest, 'maxTokens'>,
  answer: Answer,
  { vocabularySize }: Pick<ModelFacts, 'vocabularySize'>,
): Failure | readonly CheckedToken[] {
  return (
    checkStream(answer) ?? checkLength(answer, maxTokens) ?? checkTokenHygiene(answer.tokens, vocabularySize)
  )
}

function noteCompared({ request, onCompared }: ReadyVerification, promptTokens: number) {
  if (!onCompared) return undefined
  return (answer: PreparedAnswer) => {
    const compared = describeCompared(answer, request, promptTokens)
    if (compared) onCompared(compared, answer)
  }
}

/** Uses max_tokens, not the tokens that arrived: otherwise a miner could choose a length that is never verified. */
function checkModelLength(
  inputLength: number,
  maxTokens: number,
  maxModelLength: number | undefined,
): Verdict | undefined {
  if (maxModelLength === undefined || inputLength + maxTokens + 1 <= maxModelLength) return undefined
  return inconclusive(
    'engine-answer',
    `The prompt (${inputLength} tokens) and the answer (up to ${maxTokens}) exceed the engine’s ${maxModelLength} tokens.`,
  )
}

/**
 * Decides whose fault it is that the engine refused a call. If it refuses this answer's ids but accepts the prompt's, the
 * miner sent ids the tokenizer does not know (a vocabulary padded beyond its tokenizer). Anything else is the engine's fault.
 *
 * @throws the given error when it is the engine's fault
 */
async function explainRefusal(
  { engine, request, signal }: ReadyVerification,
  input: readonly number[],
  error: unknown,
): Promise<Failure> {
  if (!(error instanceof TargonError) || error.code !== 'ENGINE_REFUSED') throw error
  const control = input.slice(-3)
  const reference = await engine.score(
    { input, output: control, temperature: request.temperature, topK: 1 },
    signal,
  )
  if (reference.positions.length !== control.length) throw error
  return failure('BAD_TOKEN', `The engine rejected these token ids: ${error.message}`)
}
