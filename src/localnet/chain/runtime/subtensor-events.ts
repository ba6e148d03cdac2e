import { at, u16, u64, type VariantValue } from '../scale/index.js'
import { accountId, h256 } from './types.js'

/** Events of SubtensorModule with the indexes of the newest dialect. */
export const subtensorEvents = {
  StakeAdded: at(2, [accountId, accountId, u64, u64, u16, u64]),
  StakeRemoved: at(3, [accountId, accountId, u64, u64, u16, u64]),
  WeightsSet: at(5, [u16, u16]),
  NeuronRegistered: at(6, [u16, u16, accountId]),
  AxonServed: at(28, [u16, accountId]),
  CRV3WeightsCommitted: at(84, [accountId, u16, h256]),
  WeightsCommitted: at(85, [accountId, u16, h256]),
  WeightsRevealed: at(86, [accountId, u16, h256]),
  CRV3WeightsRevealed: at(99, [u16, accountId]),
  TimelockedWeightsCommitted: at(107, [accountId, u16, h256, u64]),
  TimelockedWeightsRevealed: at(108, [u16, accountId]),
} as const

export type SubtensorEvent = VariantValue<typeof subtensorEvents>
