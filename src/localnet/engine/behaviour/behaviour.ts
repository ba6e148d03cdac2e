import type { ServerResponse } from 'node:http'
import type { Job, LogprobsMode, Step } from '../generation/index.js'
import type { LanguageModel } from '../language/index.js'

export interface BehaviourContext {
  readonly job: Job
  /** The model that really answers. */
  readonly model: LanguageModel
  readonly prompt: readonly number[]
  readonly mode: LogprobsMode
}

/** Bytes put into a stream, or its sudden end, after this many events. */
interface StreamTrick {
  readonly afterEvents: number
  readonly chunks?: () => Iterable<string | Uint8Array>
  /** Resets the connection instead of going on. */
  readonly isReset?: boolean
}

/** What an engine that lies does differently. Every part left out is honest. */
export interface Behaviour {
  /** One line for help texts and the page. */
  readonly summary: string
  /** The model that really answers. */
  readonly chooseModel?: (claimed: LanguageModel) => LanguageModel
  /** The request that is really carried out. */
  readonly changeJob?: (job: Job) => Job
  /** The tokens that really come, instead of an answer to the prompt. */
  readonly produce?: (context: BehaviourContext) => Iterable<Step>
  /** The answer that is really told. */
  readonly changeSteps?: (steps: Iterable<Step>, context: BehaviourContext) => Iterable<Step>
  /** `burst`: nothing is sent before the whole answer is there. Default `paced`. */
  readonly delivery?: 'paced' | 'burst'
  readonly tokensPerSecond?: number
  readonly tokensPerChunk?: number
  /** Some of its numbers are none (NaN, Infinity). */
  readonly sendsStrangeNumbers?: boolean
  /** Another event in the place of the event of this number. */
  readonly changeEvent?: (event: string, index: number) => string | Uint8Array
  readonly trick?: StreamTrick
  /** Takes the whole response over. */
  readonly respond?: (response: ServerResponse) => void
}
