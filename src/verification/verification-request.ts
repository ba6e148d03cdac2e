import type { ModelFacts, ReferenceEngine } from '../engine/index.js'
import type { ComparedAnswer } from '../evidence/index.js'
import type { Answer, InferenceRequest } from '../inference/index.js'
import type { Clock } from '../kernel/index.js'
import type { RuleSet } from './verdict.js'

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
  readonly onCompared?: ((compared: ComparedAnswer) => void) | undefined
}

/** A verification whose engine is ready: the input of both rule sets. */
export interface ReadyVerification extends VerificationRequest {
  readonly facts: ModelFacts
}

/** Token ids of the prompt, as the reference engine tokenizes it. */
export function tokenizePrompt({ request, engine, signal }: ReadyVerification): Promise<readonly number[]> {
  return request.endpoint === 'chat'
    ? engine.tokenizeChat(request.messages, signal)
    : engine.tokenizeText(request.prompt, signal)
}
