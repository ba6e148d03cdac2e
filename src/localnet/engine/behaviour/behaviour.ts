import type { ServerResponse } from 'node:http'
import type { Decoding, Draft, Job, Step } from '../generation/index.js'
import type { LanguageModel } from '../language/index.js'

export interface BehaviourContext {
  readonly job: Job
  /** The model that actually answers. */
  readonly model: LanguageModel
  readonly prompt: readonly number[]
  readonly decoding: Decoding
}

/** Bytes inserted into a stream, or its sudden end, after this many events. */
export interface StreamTrick {
  readonly afterEvents: number
  readonly chunks?: () => Iterable<string | Uint8Array>
  /** Resets the connection. */
  readonly isReset?: boolean
}

/** Which answers an engine cheats with; the others are honest. */
export interface Occasion {
  /** Share of the answers, chosen by their number; default 1. */
  readonly share?: number
  /** Number of the first one, counted from 1 over all requests of the engine. */
  readonly fromAnswer?: number
  /** Only after the engine has run for this long. */
  readonly afterMs?: number
  /** Only prompts of fewer tokens: users ask short questions, and a validator words its own at greater length. */
  readonly belowPromptTokens?: number
}

/** How a cheating engine deviates. It is honest in every part that is omitted. */
export interface Behaviour {
  /** One line, as the documentation lists it. */
  readonly summary: string
  readonly occasion?: Occasion
  /** The model that actually answers. */
  readonly chooseModel?: (requested: LanguageModel) => LanguageModel
  /** Reports the logprobs of the requested model, whichever answers. */
  readonly rescores?: boolean
  /** A draft model whose tokens are accepted without the test that keeps the distribution. */
  readonly chooseDraft?: (requested: LanguageModel) => Draft
  /** The prompt that is actually read. */
  readonly changePrompt?: (prompt: readonly number[], model: LanguageModel) => readonly number[]
  /** The request that is actually carried out. */
  readonly changeJob?: (job: Job) => Job
  /** Tokens generated instead of an answer to the prompt. */
  readonly produce?: (context: BehaviourContext) => Iterable<Step>
  /** The answer that is actually sent. */
  readonly changeSteps?: (steps: Iterable<Step>, context: BehaviourContext) => Iterable<Step>
  /** `burst`: nothing is sent until the whole answer is generated. Default `paced`. */
  readonly delivery?: 'paced' | 'burst'
  readonly tokensPerSecond?: number
  readonly tokensPerChunk?: number
  /** Sends NaN and Infinity, which are not valid JSON. */
  readonly sendsNonFiniteNumbers?: boolean
  /** Replaces an event of the stream, counted from 0. */
  readonly changeEvent?: (event: string, index: number) => string | Uint8Array
  readonly trick?: StreamTrick
  /** Writes the whole response itself. */
  readonly respond?: (response: ServerResponse) => void
}
