import type { ResolvedOptions } from './options.js'
import { subtensor } from './runtime/index.js'
import type { StorageWriter } from './storage/index.js'
import { endow, registerNeuron } from './subtensor/index.js'

const COLDKEY_BALANCE_TAO = 100

/** Writes the state of block 0: one subnet with its hyperparameters, neurons and balances. */
export function writeGenesis(storage: StorageWriter, options: ResolvedOptions): void {
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
  storage.set(subtensor.MaxAllowedUids, Math.max(options.maxAllowedUids, options.neurons.length), netuid)
  storage.set(subtensor.MaxAllowedValidators, options.maxAllowedValidators, netuid)
  storage.set(subtensor.StakeThreshold, raoOf(options.stakeThresholdTao))
  if (options.owner) {
    storage.set(subtensor.SubnetOwner, options.owner.coldkey, netuid)
    storage.set(subtensor.SubnetOwnerHotkey, options.owner.hotkey, netuid)
  }
  for (const neuron of options.neurons) {
    const uid = registerNeuron(storage, 0, netuid, neuron.hotkey, neuron.coldkey)
    storage.set(subtensor.TotalHotkeyAlpha, raoOf(neuron.stakeTao ?? 0), neuron.hotkey, netuid)
    storage.setElement(subtensor.ValidatorPermit, uid, neuron.validatorPermit ?? false, netuid)
  }
  const coldkeys = new Map(options.neurons.map(({ coldkey }) => [coldkey.toString(), coldkey]))
  for (const coldkey of coldkeys.values()) endow(storage, coldkey, raoOf(COLDKEY_BALANCE_TAO))
  for (const { publicKey, balanceTao } of options.accounts) endow(storage, publicKey, raoOf(balanceTao))
}

export function raoOf(tao: number): bigint {
  return BigInt(Math.round(tao * 1e9))
}
