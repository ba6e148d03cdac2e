import type { Behaviour } from '../behaviour/index.js'
import type { Job, Pace, Step } from '../generation/index.js'
import type { AnswerShape, PromptEcho, PromptLogprobs } from './answer-shape.js'
import type { EngineState } from './engine-state.js'

/** A request that is being answered. */
export interface Answering {
  readonly job: Job
  /** The engine's behaviour when the request came. */
  readonly behaviour: Behaviour
  readonly shape: AnswerShape
  readonly id: string
  readonly created: number
  readonly pace: Pace
  readonly signal: AbortSignal
  readonly sequences: readonly Sequence[]
}

/** One prompt and the tokens that follow it, generated on demand. */
export interface Sequence {
  readonly index: number
  readonly steps: Iterator<Step, unknown>
  readonly echo: PromptEcho | undefined
  readonly promptLogprobs: PromptLogprobs
}

export interface AnswerReport {
  readonly generatedTokens: number
  readonly timeToFirstTokenMs: number
}

export function countPromptTokens(job: Job): number {
  return job.prompts.reduce((sum, prompt) => sum + prompt.length, 0)
}

export function usageOf(job: Job, completionTokens: number, state: EngineState): object {
  const promptTokens = countPromptTokens(job)
  return {
    prompt_tokens: promptTokens,
    total_tokens: promptTokens + completionTokens,
    completion_tokens: completionTokens,
    ...(state.dialect === 'v1' ? { prompt_tokens_details: null } : {}),
  }
}

/** Lets other requests run during a long answer. @throws the abort reason */
export async function yieldToEventLoop(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  signal.throwIfAborted()
}
