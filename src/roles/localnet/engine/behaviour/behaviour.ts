import type { Job, Step } from '../generation/index.js'
import type { Tokenizer } from '../language/index.js'

export interface BehaviourContext {
  readonly job: Job
  readonly tokenizer: Tokenizer
}

/** What an engine that lies does differently. Every part left out is honest. */
export interface Behaviour {
  /** One line for help texts and the page. */
  readonly summary: string
  /** The model that really answers. */
  readonly chooseModel?: (claimed: string) => string
  /** The request that is really carried out. */
  readonly changeJob?: (job: Job) => Job
  /** The answer that is really told. */
  readonly changeSteps?: (steps: Iterable<Step>, context: BehaviourContext) => Iterable<Step>
  /** `burst`: nothing is sent before the whole answer is there. Default `paced`. */
  readonly delivery?: 'paced' | 'burst'
}
