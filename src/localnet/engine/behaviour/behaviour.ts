import type { ServerResponse } from 'node:http'
import type { Job, LogprobsMode, Step } from '../generation/index.js'
import type { LanguageModel } from '../language/index.js'

export interface BehaviourContext {
  readonly job: Job
  /** The model that actually answers. */
  readonly model: LanguageModel
  readonly prompt: readonly number[]
  readonly mode: LogprobsMode
}

/** Bytes inserted into a stream, or its sudden end, after this many events. */
interface StreamTrick {
  readonly afterEvents: number
  readonly chunks?: () => Iterable<string | Uint8Array>
  /** Resets the connection. */
  readonly isReset?: boolean
}

/** How a cheating engine deviates. It is honest in every part that is omitted. */
export interface Behaviour {
  /** One line, as the documentation lists it. */
  readonly summary: string
  /** The model that actually answers. */
  readonly chooseModel?: (requested: LanguageModel) => LanguageModel
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
