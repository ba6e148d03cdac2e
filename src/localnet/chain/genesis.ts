import type { DevelopmentBeacon } from './beacon/index.js'
import type { ResolvedOptions } from './options.js'
import { type Dialect, drand, subtensor } from './runtime/index.js'
import { utf8 } from './scale/index.js'
import type { StorageWriter } from './storage/index.js'
import { endow, raoOf, registerNeuron, setConsensus } from './subtensor/index.js'

const COLDKEY_BALANCE_TAO = 100

/** Writes the state of block 0: the beacon, and one subnet with its hyperparameters, neurons and balances. */
export function writeGenesis(
  storage: StorageWriter,
  options: ResolvedOptions,
  dialect: Dialect,
  beacon: DevelopmentBeacon,
  nowMs: number,
): void {
  writeHyperparameters(storage, options)
  const { netuid, owner, neurons, accounts } = options
  if (owner) {
    storage.set(subtensor.SubnetOwner, owner.coldkey, netuid)
    storage.set(subtensor.SubnetOwnerHotkey, owner.hotkey, netuid)
  }
  if (options.consensus !== 'Yuma') setConsensus({ storage, dialect, block: 0 }, netuid, options.consensus)
  for (const neuron of neurons) {
    const uid = registerNeuron(storage, 0, netuid, neuron.hotkey, neuron.coldkey)
    storage.set(subtensor.TotalHotkeyAlpha, raoOf(neuron.stakeTao ?? 0), neuron.hotkey, netuid)
    storage.setElement(subtensor.ValidatorPermit, uid, neuron.validatorPermit ?? false, netuid)
  }
  const coldkeys = new Map(neurons.map(({ coldkey }) => [coldkey.toString(), coldkey]))
  for (const coldkey of coldkeys.values()) endow(storage, coldkey, raoOf(COLDKEY_BALANCE_TAO))
  for (const { publicKey, balanceTao } of accounts) endow(storage, publicKey, raoOf(balanceTao))
  writeBeacon(storage, beacon, nowMs)
}

function writeHyperparameters(storage: StorageWriter, options: ResolvedOptions): void {
  const { netuid } = options
  storage.set(subtensor.NetworksAdded, true, netuid)
  storage.set(subtensor.TotalNetworks, 1)
  storage.set(subtensor.Tempo, options.tempo, netuid)
  storage.set(subtensor.MinAllowedWeights, options.minAllowedWeights, netuid)
  storage.set(subtensor.WeightsSetRateLimit, BigInt(options.weightsSetRateLimit), netuid)
  storage.set(subtensor.ServingRateLimit, BigInt(options.servingRateLimit), netuid)
  storage.set(subtensor.WeightsVersionKey, BigInt(options.weightsVersionKey), netuid)
  storage.set(subtensor.CommitRevealWeightsEnabled, options.commitReveal, netuid)
  storage.set(subtensor.RevealPeriodEpochs, BigInt(options.revealPeriodEpochs), netuid)
  storage.set(subtensor.MinAllowedUids, options.minAllowedUids, netuid)
  storage.set(subtensor.MaxAllowedUids, Math.max(options.maxAllowedUids, options.neurons.length), netuid)
  storage.set(subtensor.MaxAllowedValidators, options.maxAllowedValidators, netuid)
  storage.set(subtensor.StakeThreshold, raoOf(options.stakeThresholdTao))
}

/** Tells clients which beacon the chain follows. Rounds before genesis are not stored. */
function writeBeacon(storage: StorageWriter, beacon: DevelopmentBeacon, nowMs: number): void {
  storage.set(drand.BeaconConfig, {
    ...storage.get(drand.BeaconConfig),
    public_key: beacon.publicKey,
    period: beacon.periodSeconds,
    genesis_time: beacon.genesisSeconds,
    metadata: { beacon_id: utf8('development') },
  })
  const round = beacon.roundAt(nowMs)
  storage.set(drand.LastStoredRound, round)
  storage.set(drand.OldestStoredRound, round + 1n)
}
