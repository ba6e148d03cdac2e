import type { SamplingSettings } from '../language/index.js'

/** A parsed generation request: defaults filled in, prompts as ids. */
export interface Job {
  readonly endpoint: 'completion' | 'chat'
  readonly model: string
  readonly prompts: readonly (readonly number[])[]
  readonly sampling: SamplingSettings
  readonly seed: number
  readonly maxTokens: number
  readonly minTokens: number
  readonly stop: readonly string[]
  readonly stopTokenIds: ReadonlySet<number>
  readonly ignoreEos: boolean
  readonly includeStop: boolean
  readonly skipSpecial: boolean
  /** Number of alternatives requested; undefined: no logprobs at all. */
  readonly logprobs: number | undefined
  readonly promptLogprobs: number | undefined
  readonly echo: boolean
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly continuousUsage: boolean
  readonly tokensAsIds: boolean
  readonly returnTokenIds: boolean
}

/** What is reported of one id at one position. */
export interface TokenReport {
  readonly id: number
  /** Natural log of the probability. */
  readonly logprob: number
  readonly rank: number
}

/** A position of the prompt: its own token first, then the most likely ones. Null for the first position. */
export type PromptPosition = readonly TokenReport[] | null

export interface Finish {
  readonly reason: 'stop' | 'length'
  /** The stop string or stop id; null for the end-of-turn token and for length. */
  readonly stopReason: string | number | null
}

/** One generated token, as the caller receives it. */
export interface Step extends TokenReport {
  /** Text that it completes; '' for part of a character, a control token, or withheld text. */
  readonly text: string
  /** The token itself first, then the most likely ones. */
  readonly top: readonly TokenReport[]
  /** Only on the last step. */
  readonly finish?: Finish
  /** Sent without waiting; only set by cheating engines. */
  readonly isFree?: boolean
  /** Additional delay before it is sent; only set by cheating engines. */
  readonly extraDelayMs?: number
}
