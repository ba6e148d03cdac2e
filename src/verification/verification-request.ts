import type { ModelFacts, ReferenceEngine } from '../engine/index.js'
import type { Column, ComparedAnswer } from '../evidence/index.js'
import type { Answer, InferenceRequest } from '../inference/index.js'
import type { Clock } from '../kernel/index.js'
import type { PreparedAnswer } from './answer-comparison.js'
import type { RuleSet, Verdict } from './verdict.js'

/**
 * How an answer was judged alone. With the columns that were compared this is all that `strict` depends on, apart from how the
 * engine spells the ids.
 */
export interface JudgedAnswer {
  /** As judged: of an answer that was cut off, the part that arrived. */
  readonly request: InferenceRequest
  readonly answer: Answer
  readonly facts: ModelFacts
  /** Rank of each token in the engine's distribution. */
  readonly ranks: Column
  readonly verdict: Verdict
}

export interface VerificationRequest {
  readonly request: InferenceRequest
  readonly answer: Answer
  readonly engine: ReferenceEngine
  readonly rules: RuleSet
  readonly clock: Clock
  readonly signal: AbortSignal
  /**
   * Called at most once, with an answer that was compared with the reference under `strict`, whatever the verdict unless it is
   * inconclusive.
   */
  readonly onCompared?: ((compared: ComparedAnswer, judged: JudgedAnswer) => void) | undefined
}

/** A verification whose engine is ready: the input of both rule sets. */
export interface ReadyVerification extends Omit<VerificationRequest, 'onCompared'> {
  readonly facts: ModelFacts
  readonly onCompared?: ((compared: ComparedAnswer, answer: PreparedAnswer) => void) | undefined
}

/** Token ids of the prompt, as the reference engine tokenizes it. */
export function tokenizePrompt({ request, engine, signal }: ReadyVerification): Promise<readonly number[]> {
  return request.endpoint === 'chat'
    ? engine.tokenizeChat(request.messages, signal)
    : engine.tokenizeText(request.prompt, signal)
}
