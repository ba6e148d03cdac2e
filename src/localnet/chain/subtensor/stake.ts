import { type CallArguments, subtensor } from '../runtime/index.js'
import { equalBytes } from '../scale/index.js'
import { endow, freeBalance, withdraw } from './balances.js'
import { depositEvent, ensure, type PalletContext } from './context.js'
import { isZeroAccount, subnetExists } from './subnet.js'

/** DefaultMinStake of the real runtime. */
const MIN_STAKE_RAO = 2_000_000n

/** `add_stake`: turns TAO of the coldkey into alpha of the hotkey, one to one because there are no pools. */
export function addStake(
  context: PalletContext,
  coldkey: Uint8Array,
  call: CallArguments<'add_stake'>,
): void {
  const { storage } = context
  const { hotkey, netuid, amount_staked: amount } = call
  ensure(netuid === 0 || subnetExists(storage, netuid), 'SubnetNotExists')
  ensure(amount >= MIN_STAKE_RAO, 'AmountTooLow')
  ensure(freeBalance(storage, coldkey) >= amount, 'NotEnoughBalanceToStake')
  ensure(!isZeroAccount(storage.get(subtensor.Owner, hotkey)), 'HotKeyAccountNotExists')
  withdraw(context, coldkey, amount)
  const alpha = storage.get(subtensor.TotalHotkeyAlpha, hotkey, netuid)
  storage.set(subtensor.TotalHotkeyAlpha, alpha + amount, hotkey, netuid)
  storage.set(subtensor.TotalStake, storage.get(subtensor.TotalStake) + amount)
  depositEvent(context, { type: 'StakeAdded', value: [coldkey, hotkey, amount, amount, netuid, 0n] })
}

/** `remove_stake`, only for the coldkey that owns the hotkey: the chain does not track who staked. */
export function removeStake(
  context: PalletContext,
  coldkey: Uint8Array,
  call: CallArguments<'remove_stake'>,
): void {
  const { storage } = context
  const { hotkey, netuid, amount_unstaked: amount } = call
  ensure(netuid === 0 || subnetExists(storage, netuid), 'SubnetNotExists')
  const owner = storage.get(subtensor.Owner, hotkey)
  ensure(!isZeroAccount(owner), 'HotKeyAccountNotExists')
  const alpha = storage.get(subtensor.TotalHotkeyAlpha, hotkey, netuid)
  ensure(equalBytes(owner, coldkey) && alpha >= amount, 'NotEnoughStakeToWithdraw')
  storage.set(subtensor.TotalHotkeyAlpha, alpha - amount, hotkey, netuid)
  const total = storage.get(subtensor.TotalStake)
  storage.set(subtensor.TotalStake, total > amount ? total - amount : 0n)
  endow(storage, coldkey, amount)
  depositEvent(context, { type: 'StakeRemoved', value: [coldkey, hotkey, amount, amount, netuid, 0n] })
}
