import { type CallArguments, subtensor } from '../runtime/index.js'
import { equalBytes } from '../scale/index.js'
import type { StorageWriter } from '../storage/index.js'
import { freeBalance, withdraw } from './balances.js'
import { depositEvent, ensure, type PalletContext } from './context.js'
import { isZeroAccount, subnetExists } from './subnet.js'

/** `burned_register`: the coldkey pays the burn, and the hotkey gets a uid. @throws DispatchError */
export function burnedRegister(
  context: PalletContext,
  coldkey: Uint8Array,
  { netuid, hotkey }: CallArguments<'burned_register'>,
): void {
  const { storage } = context
  ensure(netuid !== 0, 'RegistrationNotPermittedOnRootSubnet')
  ensure(subnetExists(storage, netuid), 'SubnetNotExists')
  ensure(storage.get(subtensor.NetworkRegistrationAllowed, netuid), 'SubNetRegistrationDisabled')
  ensure(storage.get(subtensor.Uids, netuid, hotkey) === undefined, 'HotKeyAlreadyRegisteredInSubNet')
  const burn = storage.get(subtensor.Burn, netuid)
  ensure(freeBalance(storage, coldkey) >= burn, 'NotEnoughBalanceToStake')
  const owner = storage.get(subtensor.Owner, hotkey)
  ensure(isZeroAccount(owner) || equalBytes(owner, coldkey), 'NonAssociatedColdKey')
  withdraw(context, coldkey, burn)
  const uid = registerNeuron(storage, context.block, netuid, hotkey, coldkey)
  depositEvent(context, { type: 'NeuronRegistered', value: [netuid, uid, hotkey] })
}

/** Assigns the next uid to the hotkey, or on a full subnet the uid of the neuron with the lowest emission. */
export function registerNeuron(
  storage: StorageWriter,
  block: number,
  netuid: number,
  hotkey: Uint8Array,
  coldkey: Uint8Array,
): number {
  const count = storage.get(subtensor.SubnetworkN, netuid)
  const isFull = count >= storage.get(subtensor.MaxAllowedUids, netuid)
  const uid = isFull ? pruneNeuron(storage, netuid) : count
  if (!isFull) storage.set(subtensor.SubnetworkN, count + 1, netuid)

  for (const item of [
    subtensor.Consensus,
    subtensor.Incentive,
    subtensor.Dividends,
    subtensor.ValidatorTrust,
  ]) {
    storage.setElement(item, uid, 0, netuid)
  }
  storage.setElement(subtensor.Emission, uid, 0n, netuid)
  storage.setElement(subtensor.LastUpdate, uid, BigInt(block), netuid)
  storage.setElement(subtensor.Active, uid, true, netuid)
  storage.setElement(subtensor.ValidatorPermit, uid, false, netuid)
  storage.set(subtensor.Keys, hotkey, netuid, uid)
  storage.set(subtensor.Uids, uid, netuid, hotkey)
  storage.set(subtensor.BlockAtRegistration, BigInt(block), netuid, uid)
  storage.set(subtensor.IsNetworkMember, true, hotkey, netuid)
  storage.set(subtensor.Owner, coldkey, hotkey)
  return uid
}

function pruneNeuron(storage: StorageWriter, netuid: number): number {
  const emissions = storage.get(subtensor.Emission, netuid)
  let uid = 0
  emissions.forEach((emission, candidate) => {
    if (emission < (emissions[uid] ?? 0n)) uid = candidate
  })
  const hotkey = storage.get(subtensor.Keys, netuid, uid)
  storage.delete(subtensor.Uids, netuid, hotkey)
  storage.delete(subtensor.Axons, netuid, hotkey)
  storage.delete(subtensor.Prometheus, netuid, hotkey)
  storage.delete(subtensor.Weights, netuid, uid)
  storage.delete(subtensor.Bonds, netuid, uid)
  storage.set(subtensor.IsNetworkMember, false, hotkey, netuid)
  return uid
}
