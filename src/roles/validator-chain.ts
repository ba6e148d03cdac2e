import type { SubtensorClient } from '../chain/index.js'
import { type Clock, TargonError } from '../kernel/index.js'
import { connectNeuronChain, type NeuronPlace } from './neuron.js'
import type { RoleDeps } from './role.js'
import type { ValidatorStatus } from './validator/index.js'

/** Which of the settings that select chain and subnet the operator gave. */
export interface GivenPlace {
  readonly network: boolean
  readonly endpoint: boolean
  readonly netuid: boolean
}

/** The chain of a running validator, and its subnet. */
export interface ValidatorChain {
  readonly subtensor: SubtensorClient
  readonly netuid: number
}

type Place = NeuronPlace & { readonly netuid: number }

/**
 * Connects to the chain that the validator of this status uses, so that a command beside it needs no settings of its own.
 * Settings that the operator gave win, but must lead to the same chain and subnet.
 *
 * @throws TargonError VALIDATOR_ELSEWHERE (usage) when they do not; what connecting to the chain throws
 */
export async function connectValidatorChain(
  settings: Place,
  given: GivenPlace,
  { chain }: Pick<ValidatorStatus, 'chain'>,
  context: { readonly clock: Clock; readonly log: RoleDeps['log']; readonly signal: AbortSignal },
): Promise<ValidatorChain> {
  const netuid = netuidOf(settings.netuid, given.netuid, chain)
  const learned = chain && !given.network && !given.endpoint ? placeOf(settings, chain) : settings
  const subtensor = await connectNeuronChain(learned, given.network, context)
  if (chain === undefined || chain.genesisHash === subtensor.genesisHash) return { subtensor, netuid }
  const endpoint = subtensor.endpoint
  await subtensor.close()
  throw elsewhere(`uses another chain than ${endpoint}`, '--subtensor.network and --subtensor.chain_endpoint')
}

/**
 * The subnet of the validator; the setting when its status does not tell.
 *
 * @throws TargonError VALIDATOR_ELSEWHERE (usage) when the operator gave another one
 */
export function netuidOf(netuid: number, isGiven: boolean, chain: ValidatorStatus['chain']): number {
  if (chain === undefined || chain.netuid === netuid) return netuid
  if (isGiven) throw elsewhere(`validates subnet ${chain.netuid}, not ${netuid}`, '--netuid')
  return chain.netuid
}

function placeOf(settings: Place, { network, endpoint }: NonNullable<ValidatorStatus['chain']>): Place {
  return {
    ...settings,
    'subtensor.network': network,
    'subtensor.chain_endpoint': endpoint === null ? settings['subtensor.chain_endpoint'] : [endpoint],
  }
}

function elsewhere(what: string, flags: string): TargonError {
  return new TargonError(`The validator on --metrics.port ${what}.`, {
    code: 'VALIDATOR_ELSEWHERE',
    fault: 'usage',
    next: `Omit ${flags}, or set --metrics.port to the status port of the validator you mean.`,
  })
}
