import { type DynamicInfo, type SubnetInfo, type SubnetState, subtensor } from '../runtime/index.js'
import type { ReadContext } from './context.js'
import { metagraphOf } from './metagraph.js'
import { subnetExists } from './subnet.js'

const RAO_PER_TAO = 1_000_000_000n

/** The subnet as a market. Pools and emission are zero, because the development chain has none. */
export function dynamicInfoOf(context: ReadContext, netuid: number): DynamicInfo | undefined {
  const metagraph = metagraphOf(context, netuid, 0)
  if (!metagraph) return undefined
  const { name, symbol, subnet_emission, identity, ...others } = metagraph
  return {
    ...others,
    subnet_name: name,
    token_symbol: symbol,
    emission: subnet_emission,
    subnet_identity: identity,
  }
}

/** The columns of the metagraph without its hyperparameters. */
export function subnetStateOf(context: ReadContext, netuid: number): SubnetState | undefined {
  const metagraph = metagraphOf(context, netuid, 0)
  return metagraph && { ...metagraph, emission_history: [] }
}

export function subnetInfoOf(context: ReadContext, netuid: number): SubnetInfo | undefined {
  const metagraph = metagraphOf(context, netuid, 0)
  return (
    metagraph && {
      ...metagraph,
      max_allowed_validators: metagraph.max_validators,
      scaling_law_power: 50,
      subnetwork_n: metagraph.num_uids,
      max_allowed_uids: metagraph.max_uids,
      network_modality: 0,
      network_connect: [],
      emission_value: 0n,
      owner: metagraph.owner_coldkey,
    }
  )
}

/** A view of every subnet, in the order of their netuids. */
export function ofAllSubnets<T>(
  context: ReadContext,
  view: (context: ReadContext, netuid: number) => T,
): readonly T[] {
  const netuids = [...context.storage.identityKeys(subtensor.NetworksAdded)].sort((a, b) => a - b)
  return netuids.map((netuid) => view(context, netuid))
}

/** Rao per alpha. One alpha is worth one TAO, because the development chain has no pools. */
export function alphaPriceOf({ storage }: ReadContext, netuid: number): bigint {
  return subnetExists(storage, netuid) ? RAO_PER_TAO : 0n
}
