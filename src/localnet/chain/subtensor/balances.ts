import { balances, system } from '../runtime/index.js'
import type { StorageReader, StorageWriter } from '../storage/index.js'
import { DispatchError, type PalletContext } from './context.js'

export function raoOf(tao: number): bigint {
  return BigInt(Math.round(tao * 1e9))
}

export function freeBalance(storage: StorageReader, account: Uint8Array): bigint {
  return storage.get(system.Account, account).data.free
}

/** Adds to the free balance of an account and creates the account if necessary. */
export function endow(storage: StorageWriter, account: Uint8Array, amountRao: bigint): void {
  const info = storage.get(system.Account, account)
  storage.set(
    system.Account,
    { ...info, providers: 1, data: { ...info.data, free: info.data.free + amountRao } },
    account,
  )
  storage.set(balances.TotalIssuance, storage.get(balances.TotalIssuance) + amountRao)
}

/** @throws DispatchError Balances.InsufficientBalance */
export function withdraw(context: PalletContext, account: Uint8Array, amountRao: bigint): void {
  debit(context.storage, account, amountRao)
  context.deposit({
    type: 'Balances',
    value: { type: 'Withdraw', value: { who: account, amount: amountRao } },
  })
}

/** @throws DispatchError Balances.InsufficientBalance */
export function transfer(context: PalletContext, from: Uint8Array, to: Uint8Array, amountRao: bigint): void {
  debit(context.storage, from, amountRao)
  endow(context.storage, to, amountRao)
  context.deposit({ type: 'Balances', value: { type: 'Transfer', value: { from, to, amount: amountRao } } })
}

function debit(storage: StorageWriter, account: Uint8Array, amountRao: bigint): void {
  const info = storage.get(system.Account, account)
  if (info.data.free < amountRao) throw new DispatchError('InsufficientBalance', 'Balances')
  storage.set(system.Account, { ...info, data: { ...info.data, free: info.data.free - amountRao } }, account)
  storage.set(balances.TotalIssuance, storage.get(balances.TotalIssuance) - amountRao)
}
