import type { ComparedAnswer } from '../evidence/index.js'
import type { Answer, InferenceRequest } from '../inference/index.js'
import { bundleError } from './bundle-error.js'
import { unpackAnswer } from './columns.js'
import { answerOf, unpackWords, type Words } from './judged.js'
import type { KeptAnswer } from './kept-answer.js'

/** An answer of a bundle, unpacked. */
export interface OpenedAnswer {
  readonly kept: KeptAnswer
  readonly request: InferenceRequest
  readonly compared: ComparedAnswer
  readonly words: Words
  readonly answer: Answer
}

/** @throws TargonError BUNDLE_INVALID (fault verification) when its data do not fit each other, this miner or this model */
export function openAnswer(hotkey: string, model: string, kept: KeptAnswer, index: number): OpenedAnswer {
  const { request, before, judged } = kept
  const compared = unpackAnswer(kept.answer)
  const words = compared && unpackWords(judged, compared.tokenIds.length)
  const isForeign = before.pairs.some((pair) => pair.hotkey !== hotkey || pair.model !== model)
  const hasPrompt = (request.endpoint === 'chat' ? request.messages : request.prompt) !== undefined
  if (!compared || !words || isForeign || !hasPrompt || before.pairs.length > 1 || request.model !== model)
    throw bundleError(
      'BUNDLE_INVALID',
      `Answer ${index + 1} of the bundle is malformed.`,
      'Ask for the file again.',
    )
  // The schema checks the members; the type only adds that JSON has no undefined ones.
  return {
    kept,
    request: request as InferenceRequest,
    compared,
    words,
    answer: answerOf(judged, words, compared),
  }
}
