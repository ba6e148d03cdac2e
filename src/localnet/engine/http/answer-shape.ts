import type { PromptPosition, Step } from '../generation/index.js'

/** The prompt given back at the head of an answer (`echo`). */
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
  /** The chunk before any token: the role in a chat. */
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
  /** Completions chunks carry `usage: null`, chat chunks leave it out. */
  readonly hasNullUsage: boolean
  readonly finalChoice: (
    index: number,
    steps: readonly Step[],
    echo: PromptEcho | undefined,
    promptLogprobs: PromptLogprobs,
  ) => object
  readonly finalExtras: (promptLogprobs: PromptLogprobs) => object
}
