import { type RuntimeCall, system } from '../runtime/index.js'
import type { StorageReader } from '../storage/index.js'
import { DispatchFailure, isFree, poolCodeOf } from '../subtensor/index.js'
import { lifetimeOf } from './era.js'
import type { SignedExtrinsic } from './extrinsic.js'
import { InvalidTransaction, RpcError } from './rpc-error.js'
import { hasValidSignature } from './signature.js'

/** A transaction that may be included. */
export interface Validity {
  readonly account: Uint8Array
  readonly feeRao: bigint
  readonly deathBlock: number | undefined
}

/** What the checks of the extensions need to know about the chain. */
export interface ValidationContext {
  readonly storage: StorageReader
  /** Block the transaction would be checked against: the next one in the pool, the one being built else. */
  readonly currentBlock: number
  readonly specVersion: number
  readonly transactionVersion: number
  readonly blockHashCount: number
  readonly genesisHash: Uint8Array
  hashOf(block: number): Uint8Array | undefined
  /** @throws DispatchFailure what SubtensorTransactionExtension refuses. */
  guard(account: Uint8Array, call: RuntimeCall): void
}

const BASE_FEE_RAO = 100_000n
const BYTE_FEE_RAO = 500n

export function feeOf(length: number): bigint {
  return BASE_FEE_RAO + BYTE_FEE_RAO * BigInt(length)
}

/** True for calls whose sender pays no fee and needs no balance. */
export function paysNothing(call: RuntimeCall): boolean {
  return call.type === 'SubtensorModule' && isFree(call.value)
}

/**
 * The checks of the transaction extensions, in their order. A nonce ahead of the account is not refused here.
 *
 * @throws RpcError 1010 with the reason, 1002 for an impossible era.
 */
export function validateExtrinsic(context: ValidationContext, extrinsic: SignedExtrinsic): Validity {
  const { extra, call } = extrinsic
  if (extrinsic.address.type !== 'Id') throw new InvalidTransaction('badSigner')
  const account = extrinsic.address.value
  const lifetime = lifetimeOf(extra.era, context.currentBlock)
  if (!lifetime) throw new RpcError(1002, 'Verification Error: Invalid period and phase')
  const { birthBlock, deathBlock } = lifetime
  const birthHash = context.hashOf(birthBlock)
  const isTooOld = birthBlock !== 0 && context.currentBlock - birthBlock > context.blockHashCount
  if (!birthHash || isTooOld) throw new InvalidTransaction('ancientBirthBlock')

  // A metadata hash would have to be the digest of RFC 78, which this chain does not compute.
  if (extra.metadataHash) throw new InvalidTransaction('badProof')
  const { specVersion, transactionVersion, genesisHash } = context
  const implicit = { specVersion, transactionVersion, genesisHash, birthHash }
  if (!hasValidSignature(extrinsic, account, implicit)) throw new InvalidTransaction('badProof')
  if (account.every((byte) => byte === 0)) throw new InvalidTransaction('badSigner')

  const info = context.storage.get(system.Account, account)
  const isFreeCall = paysNothing(call)
  if (!isFreeCall && info.providers === 0 && info.sufficients === 0) throw new InvalidTransaction('payment')
  if (extra.nonce < info.nonce) throw new InvalidTransaction('stale')
  const feeRao = isFreeCall ? 0n : feeOf(extrinsic.bytes.length) + extra.tip
  if (feeRao > info.data.free) throw new InvalidTransaction('payment')
  guard(context, account, call)
  return { account, feeRao, deathBlock }
}

function guard(context: ValidationContext, account: Uint8Array, call: RuntimeCall): void {
  try {
    context.guard(account, call)
  } catch (error) {
    if (error instanceof DispatchFailure) throw new InvalidTransaction({ custom: poolCodeOf(error) })
    throw error
  }
}
