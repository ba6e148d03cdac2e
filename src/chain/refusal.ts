import type { ChainRefusal } from './outcomes.js'
import type { RpcError } from './rpc.js'

export type RefusalClass = ChainRefusal['class']

/** `1010 Invalid Transaction, Custom error: N` (subtensor common/src/transaction_error.rs). */
const POOL_CODES: Readonly<Record<number, { readonly class: RefusalClass; readonly name: string }>> = {
  1: { class: 'stake', name: 'NotEnoughStakeToSetWeights' },
  3: { class: 'not-registered', name: 'SubnetNotExists' },
  4: { class: 'not-registered', name: 'HotkeyAccountDoesntExist' },
  6: { class: 'too-fast', name: 'RateLimitExceeded' },
  10: { class: 'not-registered', name: 'HotKeyNotRegisteredInNetwork' },
  11: { class: 'bad-axon', name: 'InvalidIpAddress' },
  12: { class: 'too-fast', name: 'ServingRateLimitExceeded' },
  13: { class: 'bad-axon', name: 'InvalidPort' },
  15: { class: 'bad-reveal-round', name: 'InvalidRevealRound' },
  16: { class: 'no-commit', name: 'CommitNotFound' },
  17: { class: 'no-commit', name: 'CommitBlockNotInRevealRange' },
  18: { class: 'bad-vector', name: 'InputLengthsUnequal' },
  19: { class: 'not-registered', name: 'UidNotFound' },
  255: { class: 'bad-request', name: 'BadRequest' },
}

/** Dispatch errors by name, because their indexes change between runtimes. */
const DISPATCH_ERRORS: Readonly<Record<string, RefusalClass>> = {
  SettingWeightsTooFast: 'too-fast',
  CommittingWeightsTooFast: 'too-fast',
  ServingRateLimitExceeded: 'too-fast',
  TooManyUnrevealedCommits: 'too-fast',
  IncorrectWeightVersionKey: 'version-key',
  NeuronNoValidatorPermit: 'no-permit',
  NotEnoughStakeToSetWeights: 'stake',
  HotKeyNotRegisteredInSubNet: 'not-registered',
  HotKeyNotRegisteredInNetwork: 'not-registered',
  HotKeyAccountNotExists: 'not-registered',
  SubnetNotExists: 'not-registered',
  MechanismDoesNotExist: 'not-registered',
  SubNetworkDoesNotExist: 'not-registered',
  CommitRevealEnabled: 'commit-reveal-mismatch',
  CommitRevealDisabled: 'commit-reveal-mismatch',
  IncorrectCommitRevealVersion: 'commit-reveal-version',
  InvalidRevealRound: 'bad-reveal-round',
  CommitPayloadTooLarge: 'commit-too-large',
  CommitQueueFull: 'commit-queue-full',
  WeightVecNotEqualSize: 'bad-vector',
  DuplicateUids: 'bad-vector',
  UidVecContainInvalidOne: 'bad-vector',
  WeightVecLengthIsLow: 'bad-vector',
  MaxWeightExceeded: 'bad-vector',
  UidsLengthExceedUidsInSubNet: 'bad-vector',
  InvalidIpType: 'bad-axon',
  InvalidIpAddress: 'bad-axon',
  InvalidPort: 'bad-axon',
}

/** What happens next, or what the operator should do. */
const ADVICE: Readonly<Record<RefusalClass, string>> = {
  'too-fast': 'The chain limits the rate of this call; the node retries later.',
  'version-key': 'The subnet requires a newer version; run targon update.',
  'no-permit': 'The hotkey has no validator permit and needs more stake; the node tries again.',
  stake: 'The hotkey has too little stake to set weights; the node tries again.',
  'not-registered': 'Register the hotkey: btcli subnets register --netuid <netuid>.',
  'commit-reveal-mismatch': 'The subnet switched commit-reveal on or off; the node retries the other way.',
  'commit-reveal-version': 'The subnet requires another commit-reveal version; run targon update.',
  'bad-reveal-round': 'The node recomputes the reveal round from current chain state.',
  'commit-too-large':
    'The subnet allows no commit large enough for these weights; the node retries next epoch. The subnet owner can lower the number of mechanisms or switch commit-reveal off.',
  'commit-queue-full': 'The chain holds as many commits of this subnet as it can; the node retries later.',
  'no-commit': 'The chain has no commit of this hotkey to reveal now; the node commits again next epoch.',
  'bad-vector': 'The node rebuilds the weights from a fresh metagraph.',
  'bad-axon': 'Set --axon.external_ip and --axon.external_port to a publicly reachable address.',
  'bad-request':
    'The chain gave no reason; the node retries later. Check that the subnet has started, and under Null consensus that this hotkey has the only permit.',
  stale: 'The node reads nonce and runtime again and signs again.',
  'window-closing': 'Too few blocks are left in this epoch; the next one sets its own weights.',
  implausible:
    'The endpoint shows less of the subnet than the last metagraph, so weights are paused; set another --subtensor.chain_endpoint.',
  'endpoints-differ':
    'The endpoints disagree, so weights are paused until one agrees; check --subtensor.chain_endpoint.',
  other: 'The name says what the chain reported.',
}

export const REFUSAL_CLASSES = Object.keys(ADVICE)

export function refusal(refusalClass: RefusalClass, name: string): ChainRefusal {
  return { class: refusalClass, name, detail: ADVICE[refusalClass] }
}

/** Classifies a dispatch error by its name in the runtime's metadata. */
export function refusalOfDispatchError(name: string): ChainRefusal {
  return refusal(DISPATCH_ERRORS[name] ?? 'other', name)
}

/**
 * Classifies the error of a submission. Undefined when the pool may have accepted the extrinsic anyway: already imported,
 * temporarily banned, or an error of the node itself.
 */
export function refusalOfPoolError(error: RpcError): ChainRefusal | undefined {
  const text = `${error.rpcMessage} ${error.data}`
  const custom = /custom error:?\s*(\d+)/i.exec(text)
  if (custom) {
    const code = Number(custom[1])
    const known = POOL_CODES[code]
    return refusal(known?.class ?? 'other', known?.name ?? `pool 1010 custom ${code}`)
  }
  // sc-rpc-api author/error.rs: 1014 priority too low, 1010 invalid (outdated nonce, bad signature, old birth block).
  if (error.rpcCode === 1014) return refusal('stale', 'pool 1014 priority too low')
  if (error.rpcCode === 1010 && /outdated|stale|bad signature|ancient|future/i.test(text)) {
    return refusal('stale', `pool 1010 ${error.data || error.rpcMessage}`)
  }
  if (error.rpcCode === 1010 || error.rpcCode === 1002 || error.rpcCode === 1001) {
    return refusal('other', `pool ${error.rpcCode} ${error.data || error.rpcMessage}`)
  }
  return undefined
}
