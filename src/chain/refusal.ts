import type { RpcError } from './rpc.js'
import type { ChainRefusal } from './types.js'

type RefusalClass = ChainRefusal['class']

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
  18: { class: 'bad-vector', name: 'InputLengthsUnequal' },
  19: { class: 'not-registered', name: 'UidNotFound' },
}

/** Dispatch errors by name: their indexes drift between runtimes. */
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

/** What to do, in the operator's words. */
const ADVICE: Readonly<Record<RefusalClass, string>> = {
  'too-fast': 'The rate limit of the chain has not passed; it is tried again later.',
  'version-key': 'The subnet asks for a newer version: run targon update.',
  'no-permit': 'The hotkey has no validator permit; it needs more stake. Tried again next epoch.',
  stake: 'The hotkey has too little stake to set weights. Tried again next epoch.',
  'not-registered': 'Register the hotkey: btcli subnets register.',
  'commit-reveal-mismatch': 'The subnet switched commit-reveal; the other path is taken.',
  'commit-reveal-version': 'The subnet asks for another commit-reveal version: run targon update.',
  'bad-reveal-round': 'The reveal round is computed again from fresh chain state.',
  'bad-vector': 'The vector is rebuilt from a fresh metagraph.',
  'bad-axon': 'Set --axon.external_ip and --axon.external_port to an address others can reach.',
  stale: 'Nonce and runtime are read again and the call is signed anew.',
  'window-closing': 'Too few blocks are left in the epoch; the next one has its own weights.',
  implausible:
    'The endpoint shows less of the subnet than the metagraph had: give another one by --subtensor.chain_endpoint. Weights are held until they fit.',
  'endpoints-differ':
    'The endpoints show different chains: check --subtensor.chain_endpoint. Weights are held until one agrees.',
  other: 'See the name of the error.',
}

export const REFUSAL_CLASSES = Object.keys(ADVICE)

export function refusal(refusalClass: RefusalClass, name: string): ChainRefusal {
  return { class: refusalClass, name, detail: ADVICE[refusalClass] }
}

/** Class of a dispatch error by the name the runtime's metadata gives it. */
export function refusalOfDispatchError(name: string): ChainRefusal {
  return refusal(DISPATCH_ERRORS[name] ?? 'other', name)
}

/**
 * Class of an error the node answered a submission with; undefined when the extrinsic may have been taken all the
 * same (already imported, temporarily banned, or an error of the node itself).
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
