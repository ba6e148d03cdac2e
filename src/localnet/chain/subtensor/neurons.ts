import { type NeuronInfo, type NeuronInfoLite, NO_AXON, subtensor } from '../runtime/index.js'
import type { StorageReader } from '../storage/index.js'
import type { ReadContext } from './context.js'
import { stakeOf, storageIndex, subnetExists, uidsOf } from './subnet.js'

export function neuronsLite({ storage }: ReadContext, netuid: number): readonly NeuronInfoLite[] {
  if (!subnetExists(storage, netuid)) return []
  const vectors = neuronVectors(storage, netuid)
  return uidsOf(storage, netuid).map((uid) => neuronInfo(storage, netuid, uid, vectors))
}

export function neuronLite(
  { storage }: ReadContext,
  netuid: number,
  uid: number,
): NeuronInfoLite | undefined {
  if (!subnetExists(storage, netuid) || uid >= storage.get(subtensor.SubnetworkN, netuid)) return undefined
  return neuronInfo(storage, netuid, uid, neuronVectors(storage, netuid))
}

/** The neurons with the weights they set and the bonds they hold. */
export function neurons(context: ReadContext, netuid: number): readonly NeuronInfo[] {
  return neuronsLite(context, netuid).map((lite) => withWeights(context, lite))
}

export function neuron(context: ReadContext, netuid: number, uid: number): NeuronInfo | undefined {
  const lite = neuronLite(context, netuid, uid)
  return lite && withWeights(context, lite)
}

function withWeights({ storage }: ReadContext, lite: NeuronInfoLite): NeuronInfo {
  const { netuid, uid } = lite
  return {
    ...lite,
    weights: storage.get(subtensor.Weights, netuid, uid),
    bonds: storage.get(subtensor.Bonds, netuid, uid),
  }
}

/** The vectors of a mechanism, indexed by uid. */
export function neuronVectors(storage: StorageReader, netuid: number, mecid = 0) {
  const index = storageIndex(netuid, mecid)
  return {
    active: storage.get(subtensor.Active, netuid),
    emission: storage.get(subtensor.Emission, netuid),
    incentive: storage.get(subtensor.Incentive, index),
    consensus: storage.get(subtensor.Consensus, netuid),
    validatorTrust: storage.get(subtensor.ValidatorTrust, netuid),
    dividends: storage.get(subtensor.Dividends, netuid),
    lastUpdate: storage.get(subtensor.LastUpdate, index),
    permits: storage.get(subtensor.ValidatorPermit, netuid),
  }
}

function neuronInfo(
  storage: StorageReader,
  netuid: number,
  uid: number,
  vectors: ReturnType<typeof neuronVectors>,
): NeuronInfoLite {
  const hotkey = storage.get(subtensor.Keys, netuid, uid)
  const coldkey = storage.get(subtensor.Owner, hotkey)
  return {
    hotkey,
    coldkey,
    uid,
    netuid,
    active: vectors.active[uid] ?? false,
    axon_info: storage.get(subtensor.Axons, netuid, hotkey) ?? NO_AXON,
    prometheus_info: storage.get(subtensor.Prometheus, netuid, hotkey) ?? NO_AXON,
    stake: [[coldkey, stakeOf(storage, netuid, hotkey).alpha]],
    rank: 0,
    emission: vectors.emission[uid] ?? 0n,
    incentive: vectors.incentive[uid] ?? 0,
    consensus: vectors.consensus[uid] ?? 0,
    trust: 0,
    validator_trust: vectors.validatorTrust[uid] ?? 0,
    dividends: vectors.dividends[uid] ?? 0,
    last_update: vectors.lastUpdate[uid] ?? 0n,
    validator_permit: vectors.permits[uid] ?? false,
    pruning_score: 65_535,
  }
}
