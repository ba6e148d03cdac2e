import type { ReferenceEngine } from '../../../engine/index.js'
import type { Answer, InferenceRequest } from '../../../inference/index.js'
import { checkUnscored, THRESHOLDS } from '../../../verification/index.js'

/**
 * Whether the engine's check of a complete answer may be left out: only where everything else about it is in order. An answer
 * that fails a check without the engine, whose time a stall may have falsified, or that is too short to measure a speed, is
 * judged like any other.
 */
export function mayGoUnchecked(
  { answer, stallMs }: { readonly answer: Answer; readonly stallMs: number },
  request: InferenceRequest,
  engine: Pick<ReferenceEngine, 'facts'>,
  stallLimitMs: number,
): boolean {
  if (answer.fault !== undefined || stallMs > stallLimitMs || !engine.facts) return false
  if (answer.tokens.length < THRESHOLDS.shortestAnswer.value) return false
  return !('kind' in checkUnscored(request, answer, engine.facts))
}
