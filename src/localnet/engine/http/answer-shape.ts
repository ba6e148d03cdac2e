import type { Job, PromptPosition, Step } from '../generation/index.js'
import type { Tokenizer } from '../language/index.js'

/** The prompt, repeated at the start of an answer (`echo`). */
export interface PromptEcho {
  readonly ids: readonly number[]
  readonly texts: readonly string[]
  readonly positions: readonly PromptPosition[]
}

/** `choices[].prompt_logprobs` as sent: null, then one map per prompt token. */
export type PromptLogprobs = readonly (object | null)[] | null

/** How the two generation routes differ in what they send. */
export interface AnswerShape {
  readonly object: string
  readonly streamObject: string
  readonly idPrefix: string
  /** The chunk before any token; in a chat it carries the role. */
  readonly opening: () => object | undefined
  /** One choice of a chunk. */
  readonly chunkChoice: (
    index: number,
    steps: readonly Step[],
    echo: PromptEcho | undefined,
    isFirst: boolean,
  ) => object
  /** Top-level fields of the first chunk. */
  readonly chunkExtras: () => object
  /** Completion chunks carry `usage: null`; chat chunks omit it. */
  readonly hasNullUsage: boolean
  readonly finalChoice: (
    index: number,
    steps: readonly Step[],
    echo: PromptEcho | undefined,
    promptLogprobs: PromptLogprobs,
  ) => object
  readonly finalExtras: (promptLogprobs: PromptLogprobs) => object
}

export function textOf(steps: readonly Step[]): string {
  return steps.map((step) => step.text).join('')
}

export function tokenIdsOf(steps: readonly Step[], job: Job): readonly number[] | null {
  return job.returnTokenIds ? steps.map((step) => step.id) : null
}

/** vLLM never reports a logprob below -9999 (serving_chat.py: max(logprob, -9999.0)). */
export function clampLogprob(logprob: number): number {
  return Math.max(logprob, -9999)
}

/** The name of a token in an answer: its text, or `token_id:N`. */
export function nameToken(id: number, job: Job, tokenizer: Tokenizer): string {
  return job.tokensAsIds ? `token_id:${id}` : tokenizer.textOf(id)
}
