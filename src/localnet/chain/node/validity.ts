import { ed25519Verify } from '@polkadot/util-crypto/ed25519'
import { secp256k1Verify } from '@polkadot/util-crypto/secp256k1'
import { verify as sr25519Verify } from '../../../kernel/index.js'
import {
  implicitType,
  type MortalEra,
  type RuntimeCall,
  type SignedImplicit,
  system,
} from '../runtime/index.js'
import { concatBytes, encode } from '../scale/index.js'
import { blake2b256, type StorageReader } from '../storage/index.js'
import { customErrorCodeOf, DispatchError, isFeeless } from '../subtensor/index.js'
import type { SignedExtrinsic } from './extrinsic.js'
import { InvalidTransaction, RpcError } from './rpc-error.js'

/** What validation established about an extrinsic. */
export interface ValidTransaction {
  readonly account: Uint8Array
  readonly feeRao: bigint
  /** First block in which the extrinsic is no longer valid; undefined for an immortal one. */
  readonly deathBlock: number | undefined
}

/** What the transaction extensions check against. */
export interface ValidationContext {
  readonly storage: StorageReader
  /** The block that would include the extrinsic: the next one for the pool, otherwise the one being built. */
  readonly currentBlock: number
  readonly specVersion: number
  readonly transactionVersion: number
  readonly blockHashCount: number
  readonly genesisHash: Uint8Array
  hashOf(block: number): Uint8Array | undefined
  /** @throws DispatchError when SubtensorTransactionExtension rejects the call */
  validateCall(account: Uint8Array, call: RuntimeCall): void
}

const BASE_FEE_RAO = 100_000n
const BYTE_FEE_RAO = 500n
/** Longer payloads are hashed before they are signed, in bytes. */
const MAX_UNHASHED_PAYLOAD = 256

export function feeOf(length: number): bigint {
  return BASE_FEE_RAO + BYTE_FEE_RAO * BigInt(length)
}

/** Whether the sender pays no fee and needs no balance. */
export function paysNoFee(call: RuntimeCall): boolean {
  return call.type === 'SubtensorModule' && isFeeless(call.value)
}

/**
 * Runs the checks of the transaction extensions in order. A nonce above the account's is accepted here.
 *
 * @throws RpcError 1010 with the reason, 1002 for an era that no encoder produces
 */
export function validateExtrinsic(context: ValidationContext, extrinsic: SignedExtrinsic): ValidTransaction {
  const { extra, call } = extrinsic
  if (extrinsic.address.type !== 'Id') throw new InvalidTransaction('badSigner')
  const account = extrinsic.address.value
  const bounds = eraBoundsOf(extra.era, context.currentBlock)
  if (!bounds) throw new RpcError(1002, 'Verification Error: Invalid period and phase')
  const { birthBlock, deathBlock } = bounds
  const birthHash = context.hashOf(birthBlock)
  const isTooOld = birthBlock !== 0 && context.currentBlock - birthBlock > context.blockHashCount
  if (!birthHash || isTooOld) throw new InvalidTransaction('ancientBirthBlock')

  // This chain does not compute the metadata digest (RFC 78), so no metadata hash can be correct.
  if (extra.metadataHash) throw new InvalidTransaction('badProof')
  const { specVersion, transactionVersion, genesisHash } = context
  const implicit = { specVersion, transactionVersion, genesisHash, birthHash }
  if (!hasValidSignature(extrinsic, account, implicit)) throw new InvalidTransaction('badProof')
  if (account.every((byte) => byte === 0)) throw new InvalidTransaction('badSigner')

  const info = context.storage.get(system.Account, account)
  const isFree = paysNoFee(call)
  if (!isFree && info.providers === 0 && info.sufficients === 0) throw new InvalidTransaction('payment')
  if (extra.nonce < info.nonce) throw new InvalidTransaction('stale')
  const feeRao = isFree ? 0n : feeOf(extrinsic.bytes.length) + extra.tip
  if (feeRao > info.data.free) throw new InvalidTransaction('payment')
  validateCall(context, account, call)
  return { account, feeRao, deathBlock }
}

function validateCall(context: ValidationContext, account: Uint8Array, call: RuntimeCall): void {
  try {
    context.validateCall(account, call)
  } catch (error) {
    if (error instanceof DispatchError) throw new InvalidTransaction({ custom: customErrorCodeOf(error) })
    throw error
  }
}

interface EraBounds {
  /** Block whose hash the signature covers. */
  readonly birthBlock: number
  readonly deathBlock: number | undefined
}

/** Undefined for an era that no encoder produces. */
function eraBoundsOf(era: MortalEra, currentBlock: number): EraBounds | undefined {
  if (era.type === 'Immortal') return { birthBlock: 0, deathBlock: undefined }
  const encoded = Number(era.type.slice('Mortal'.length)) | (era.value << 8)
  const period = 2 << (encoded & 15)
  const phase = (encoded >> 4) * Math.max(period >> 12, 1)
  if (period < 4 || phase >= period) return undefined
  const birthBlock = Math.floor((Math.max(currentBlock, phase) - phase) / period) * period + phase
  return { birthBlock, deathBlock: birthBlock + period }
}

/** Whether the account signed this call with these extension values on this chain. */
function hasValidSignature(
  extrinsic: SignedExtrinsic,
  account: Uint8Array,
  implicit: SignedImplicit,
): boolean {
  const implicitBytes = encode(implicitType, { ...implicit, metadataHash: undefined })
  const payload = concatBytes(extrinsic.callBytes, extrinsic.extraBytes, implicitBytes)
  const message = payload.length > MAX_UNHASHED_PAYLOAD ? blake2b256(payload) : payload
  const { type, value } = extrinsic.signature
  if (type === 'Sr25519') return sr25519Verify(message, value, account)
  try {
    return type === 'Ed25519'
      ? ed25519Verify(message, value, account)
      : secp256k1Verify(message, value, account, 'blake2')
  } catch {
    return false
  }
}
