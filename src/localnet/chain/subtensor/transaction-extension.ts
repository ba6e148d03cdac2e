import { type SubtensorCall, subtensor } from '../runtime/index.js'
import { checkAxon } from './axons.js'
import { type DispatchError, ensure, type PalletContext } from './context.js'
import { hasStakeForWeights, isNullConsensus } from './subnet.js'
import { hasPermit, isWithinRateLimit } from './weights.js'

/** Calls with `Pays::No`. */
const FEELESS_CALLS = new Set<SubtensorCall['type']>([
  'set_weights',
  'set_mechanism_weights',
  'serve_axon',
  'commit_weights',
  'reveal_weights',
  'commit_crv3_weights',
  'commit_crv3_mechanism_weights',
  'commit_timelocked_weights',
  'commit_timelocked_mechanism_weights',
])

export function isFeeless(call: SubtensorCall): boolean {
  return FEELESS_CALLS.has(call.type)
}

/** Codes of `Custom error: N` (common/src/transaction_error.rs). Other errors have code 255. */
const CUSTOM_ERROR_CODES: Readonly<Record<string, number>> = {
  AmountTooLow: 1,
  NotEnoughStakeToSetWeights: 1,
  SubnetNotExists: 3,
  HotKeyAccountNotExists: 4,
  SettingWeightsTooFast: 6,
  CommittingWeightsTooFast: 6,
  HotKeyNotRegisteredInNetwork: 10,
  InvalidIpAddress: 11,
  ServingRateLimitExceeded: 12,
  InvalidPort: 13,
  InvalidRevealRound: 15,
  NoWeightsCommitFound: 16,
  ExpiredWeightCommit: 17,
  RevealTooEarly: 17,
  InputLengthsUnequal: 18,
  HotKeyNotRegisteredInSubNet: 19,
}

export function customErrorCodeOf(failure: DispatchError): number {
  return CUSTOM_ERROR_CODES[failure.error] ?? 255
}

/** The checks of SubtensorTransactionExtension, before an extrinsic enters the pool or a block. @throws DispatchError */
export function validateCall(
  context: Omit<PalletContext, 'deposit'>,
  hotkey: Uint8Array,
  call: SubtensorCall,
): void {
  const { storage, block, rules, dialect } = context
  if (call.type === 'serve_axon') checkAxon(storage, block, rules, hotkey, call.value)
  if (dialect.poolChecks === 'axon') return
  switch (call.type) {
    case 'set_weights':
      checkWeights(context, hotkey, call.value.netuid, 0)
      break
    case 'set_mechanism_weights':
      checkWeights(context, hotkey, call.value.netuid, call.value.mecid)
      break
    case 'commit_timelocked_weights':
    case 'commit_timelocked_mechanism_weights':
    case 'commit_crv3_mechanism_weights':
      ensure(hasStakeForWeights(storage, call.value.netuid, hotkey), 'NotEnoughStakeToSetWeights')
      checkPermit(context, hotkey, call.value.netuid)
      break
    default:
  }
}

/** Only Null consensus asks for a permit before the call is included. */
function checkPermit(context: Omit<PalletContext, 'deposit'>, hotkey: Uint8Array, netuid: number): void {
  if (!isNullConsensus(context, netuid)) return
  const uid = context.storage.get(subtensor.Uids, netuid, hotkey)
  ensure(uid !== undefined && hasPermit(context.storage, netuid, uid), 'NeuronNoValidatorPermit')
}

function checkWeights(
  context: Omit<PalletContext, 'deposit'>,
  hotkey: Uint8Array,
  netuid: number,
  mecid: number,
): void {
  const { storage, block } = context
  ensure(hasStakeForWeights(storage, netuid, hotkey), 'NotEnoughStakeToSetWeights')
  checkPermit(context, hotkey, netuid)
  if (storage.get(subtensor.CommitRevealWeightsEnabled, netuid)) return
  const uid = storage.get(subtensor.Uids, netuid, hotkey)
  ensure(uid === undefined || isWithinRateLimit(storage, block, netuid, mecid, uid), 'SettingWeightsTooFast')
}
