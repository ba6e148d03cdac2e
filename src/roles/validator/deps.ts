import type { Subtensor, WeightsPipeline } from '../../chain/index.js'
import type { ReferenceEngine } from '../../engine/index.js'
import type { QuestionSource } from '../../prompts/index.js'
import type { ValidatorMetrics } from '../../telemetry/index.js'
import type { Signer } from '../../wallet/index.js'
import type { RoleDeps } from '../role.js'
import type { Watchdog } from './health/index.js'

/** What a validator is given; it closes nothing of it. */
export interface ValidatorDeps extends RoleDeps {
  readonly subtensor: Subtensor
  readonly signer: Signer
  /** The reference engines of now, ready or not. */
  readonly engines: () => readonly ReferenceEngine[]
  /** Starts and stops engines for the wanted models; a fixed set when absent. */
  readonly refreshEngines?: (wanted: readonly string[], signal: AbortSignal) => Promise<void>
  /** Wanted models; a refresh that fails keeps the last good list. */
  readonly models: { current(): readonly string[]; refresh(signal: AbortSignal): Promise<void> }
  /** Where questions come from; the bundled ones when absent. */
  readonly questions?: QuestionSource
  /** Ledger and watch around setting weights. */
  readonly weights: WeightsPipeline
  readonly metrics?: ValidatorMetrics
  /** Told what the rounds are doing; nobody watches when absent. */
  readonly watchdog?: Pick<Watchdog, 'enter'> | undefined
  /** Once per epoch after its weights are on chain: the moment for an update. */
  readonly afterWeights?: (signal: AbortSignal) => Promise<void>
}
