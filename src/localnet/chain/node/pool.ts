import { equalBytes, toHex } from '../scale/index.js'
import { blake2b256 } from '../storage/index.js'
import type { SignedExtrinsic } from './extrinsic.js'
import { alreadyImported, priorityTooLow } from './rpc-error.js'
import type { ValidTransaction } from './validity.js'

/** A transaction status, in the form that `author_extrinsicUpdate` notifies. */
export type TransactionStatus =
  | 'ready'
  | 'future'
  | 'invalid'
  | 'dropped'
  | { readonly inBlock: string }
  | { readonly finalized: string }
  | { readonly usurped: string }

export interface PoolEntry {
  readonly hash: string
  readonly extrinsic: SignedExtrinsic
  readonly validity: ValidTransaction
  readonly onStatus: (status: TransactionStatus) => void
}

export class TransactionPool {
  readonly #entries = new Map<string, PoolEntry>()

  get entries(): readonly PoolEntry[] {
    return [...this.#entries.values()]
  }

  /** Entries in the order in which a block includes them. */
  get queue(): readonly PoolEntry[] {
    return this.entries.toSorted((a, b) => a.extrinsic.extra.nonce - b.extrinsic.extra.nonce)
  }

  /** @throws RpcError 1013 for a duplicate, 1014 when the same nonce is pooled with an equal or higher tip */
  add(
    extrinsic: SignedExtrinsic,
    validity: ValidTransaction,
    onStatus: (status: TransactionStatus) => void,
  ): PoolEntry {
    const hash = toHex(blake2b256(extrinsic.bytes))
    if (this.#entries.has(hash)) throw alreadyImported(hash)
    const conflicting = this.entries.find(
      (entry) =>
        equalBytes(entry.validity.account, validity.account) &&
        entry.extrinsic.extra.nonce === extrinsic.extra.nonce,
    )
    if (conflicting) {
      if (extrinsic.extra.tip <= conflicting.extrinsic.extra.tip) {
        throw priorityTooLow(conflicting.extrinsic.extra.tip, extrinsic.extra.tip)
      }
      this.remove(conflicting.hash)
      conflicting.onStatus({ usurped: hash })
    }
    const entry = { hash, extrinsic, validity, onStatus }
    this.#entries.set(hash, entry)
    return entry
  }

  has(hash: string): boolean {
    return this.#entries.has(hash)
  }

  remove(hash: string): void {
    this.#entries.delete(hash)
  }

  /** The first nonce from `chainNonce` on that has no transaction in the pool. */
  nextNonce(account: Uint8Array, chainNonce: number): number {
    const waiting = this.entries.filter((entry) => equalBytes(entry.validity.account, account))
    const nonces = new Set(waiting.map((entry) => entry.extrinsic.extra.nonce))
    let next = chainNonce
    while (nonces.has(next)) next++
    return next
  }
}
