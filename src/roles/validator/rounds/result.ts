import type { Answer, InferenceRequest } from '../../../inference/index.js'
import type { Verdict } from '../../../verification/index.js'
import type { Serving } from '../subnet/index.js'

/** One answer of one miner with its verdict: what scores, logs, history and hub are fed from. */
export interface RoundResult {
  readonly round: number
  /** Block at which the round began. */
  readonly block: number
  /** Wall clock, milliseconds, at which the verdict fell. */
  readonly at: number
  readonly miner: Serving
  readonly request: InferenceRequest
  readonly answer: Answer
  readonly verdict: Verdict
  /** Longest stall of the event loop while the answer streamed. */
  readonly stallMs: number
}
