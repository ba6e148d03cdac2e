import { GenericExtrinsic, GenericExtrinsicEra, GenericExtrinsicPayload } from '@polkadot/types'
import { z } from 'zod'
import { buildCall, type Call } from './call.js'
import { type Link, readHead } from './link.js'
import type { ReadAt, Runtime } from './runtime.js'
import type { BlockHead, ChainSigner } from './types.js'

/** The version of extrinsics that Subtensor takes. */
const VERSION = 4

type ExtrinsicPayloadValue = Extract<
  Parameters<GenericExtrinsic['addSignature']>[2],
  { readonly genesisHash: unknown }
>

/** A signed extrinsic, ready to be sent. */
export interface SignedExtrinsic {
  readonly hex: string
  readonly hash: string
  readonly nonce: number
}

/** How to sign; decided before the connection for it is open. */
export interface SigningOptions {
  /** Default: the next one after everything in the pool. */
  readonly nonce?: number | undefined
  /** First block in which the extrinsic must not land any more. */
  readonly untilBlock?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const nonceSchema = z.number().int().nonnegative()
const accountSchema = z.object({ nonce: nonceSchema })

/** Nonce of an account in the state of a block, without the extrinsics in the pool. */
export async function readNonce(runtime: Runtime, address: string, at: ReadAt): Promise<number> {
  return accountSchema.parse(await runtime.read('Account', [address], { ...at, pallet: 'System' })).nonce
}

/**
 * Signs a call for the chain state of this link.
 *
 * @returns undefined when too few blocks are left before `untilBlock`.
 */
export async function signCall(
  link: Link,
  signer: ChainSigner,
  call: Call,
  { nonce: chosen, untilBlock, signal }: SigningOptions = {},
): Promise<SignedExtrinsic | undefined> {
  const { runtime, rpc } = link
  const { registry } = runtime.types
  const extrinsic = new GenericExtrinsic(registry, buildCall(runtime, call), { version: VERSION })
  const [next, final, best] = await Promise.all([
    chosen ?? rpc.request('system_accountNextIndex', [signer.address], { signal }),
    readHead(link, 'finalized', { signal }),
    readHead(link, 'best', { signal }),
  ])
  const nonce = nonceSchema.parse(next)
  const era = chooseEra(best, final, untilBlock)
  if (!era) return undefined
  const { birth, period } = era
  const payload = {
    address: signer.address,
    blockHash: birth.hash,
    era: new GenericExtrinsicEra(registry, { current: birth.number, period }).toHex(),
    genesisHash: runtime.genesisHash,
    method: extrinsic.method.toHex(),
    nonce,
    specVersion: runtime.specVersion,
    tip: 0,
    transactionVersion: runtime.transactionVersion,
  }
  const signature = signer.sign(signingBytes(runtime, payload))
  extrinsic.addSignature(signer.address, Buffer.concat([Buffer.from([1]), signature]), payload)
  return { hex: extrinsic.toHex(), hash: extrinsic.hash.toHex(), nonce }
}

/** The bytes to sign; for payloads over 256 bytes their hash (generic/unchecked_extrinsic.rs). */
export function signingBytes(runtime: Runtime, payload: ExtrinsicPayloadValue): Uint8Array {
  const { registry } = runtime.types
  const bytes = new GenericExtrinsicPayload(registry, payload, { version: VERSION }).toU8a({ method: true })
  return bytes.length > 256 ? registry.hash(bytes) : bytes
}

/** Blocks in which an extrinsic is valid: from `birth`, for `period`, a power of two. */
export interface Era {
  readonly birth: BlockHead
  readonly period: number
}

/** Long enough for a slow chain, short enough not to reach a later epoch. */
const LONGEST_PERIOD = 64
/** Finalized blocks are two or three behind, so a shorter period would leave nothing. */
const SHORTEST_PERIOD = 8
/** With more finality lag the best block is the birth, or the era would end before it began (polkadot-js api). */
const MAX_FINALITY_LAG = 5

/**
 * The longest era that ends before `untilBlock`: the chain itself then keeps the weights of one epoch out of the next,
 * whatever happens to this process or the network.
 *
 * @returns undefined when too few blocks are left.
 */
export function chooseEra(best: BlockHead, final: BlockHead, untilBlock = Infinity): Era | undefined {
  const birth = best.number - final.number > MAX_FINALITY_LAG ? best : final
  const left = Math.min(LONGEST_PERIOD, untilBlock - birth.number)
  if (left < SHORTEST_PERIOD || untilBlock <= best.number + 1) return undefined
  return { birth, period: 2 ** Math.floor(Math.log2(left)) }
}
