import type { SamplingSettings } from '../language/index.js'

/** One generation request after parsing: defaults filled in, prompts as ids. */
export interface Job {
  readonly endpoint: 'completion' | 'chat'
  /** The name the caller asked for. */
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
  /** Number of alternatives asked for; undefined = no logprobs at all. */
  readonly logprobs: number | undefined
  readonly promptLogprobs: number | undefined
  readonly echo: boolean
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly continuousUsage: boolean
  readonly tokensAsIds: boolean
  readonly returnTokenIds: boolean
}

/** What is told about one id at one position. */
export interface TokenReport {
  readonly id: number
  /** Natural log of the probability. */
  readonly logprob: number
  readonly rank: number
}

/** A position of the prompt: its own token first, then the likeliest ones. The first position has none. */
export type PromptPosition = readonly TokenReport[] | null

export interface Finish {
  readonly reason: 'stop' | 'length'
  /** The stop string or stop id; null for the end-of-turn token and for length. */
  readonly stopReason: string | number | null
}

/** One generated token as it is told to the caller. */
export interface Step extends TokenReport {
  /** Text that became visible with it; '' for half a character, a control token, or text held back. */
  readonly text: string
  /** The token itself first, then the likeliest ones. */
  readonly top: readonly TokenReport[]
  /** Only on the last step. */
  readonly finish?: Finish
  /** Takes no time; only of an engine that lies. */
  readonly isFree?: boolean
  /** Waits this much longer before it is sent; only of an engine that lies. */
  readonly extraDelayMs?: number
}
