import type { Subtensor } from '../../../chain/index.js'
import type { ValidatorSettings } from '../../../config/index.js'
import type { Absence, ReferenceEngine } from '../../../engine/index.js'
import type { ValidatorMetrics } from '../../../telemetry/index.js'
import type { Signer } from '../../../wallet/index.js'
import type { RoleContext } from '../../role.js'
import type { SubnetView } from './subnet-view.js'

/** What the services of a validator share. */
export interface ValidatorContext extends RoleContext<ValidatorMetrics> {
  readonly settings: ValidatorSettings
  readonly signer: Signer
  readonly subtensor: Subtensor
  readonly view: SubnetView
  /** The current reference engines, ready or not. */
  readonly engines: () => readonly ReferenceEngine[]
  /** Why a model has no engine among them. */
  readonly explainEngine: (model: string) => Absence
}
