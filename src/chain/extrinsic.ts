import type { SubmittableExtrinsic } from '@polkadot/api/types'
import { z } from 'zod'
import { type Clock, DeadlineError, TargonError } from '../kernel/index.js'
import { buildCall, type Call } from './call.js'
import { type Link, readHead } from './link.js'
import { chooseEra } from './mortality.js'
import { refusalOfDispatchError, refusalOfPoolError } from './refusal.js'
import { RpcError } from './rpc.js'
import { hexSchema, type ReadAt, type Runtime } from './runtime.js'
import type { ChainRefusal, ChainSigner } from './types.js'

type ExtrinsicPayloadValue = Extract<
  Parameters<SubmittableExtrinsic<'promise'>['addSignature']>[2],
  { readonly genesisHash: unknown }
>

/** How a submission ended. `unconfirmed` may have landed: look at the chain before doing it again. */
export type Submission =
  | { readonly kind: 'included'; readonly hash: string; readonly blockHash: string; readonly block: number }
  | { readonly kind: 'refused'; readonly refusal: ChainRefusal; readonly hash?: string }
  | { readonly kind: 'unconfirmed'; readonly reason: string; readonly hash?: string }

/** A signed extrinsic, ready to travel. */
export interface SignedExtrinsic {
  readonly hex: string
  readonly hash: string
  readonly nonce: number
}

const nonceSchema = z.number().int().nonnegative()
const accountSchema = z.object({ nonce: nonceSchema })

/** Nonce of an account in the state of a block; nothing that waits in a pool counts. */
export async function readNonce(runtime: Runtime, address: string, at: ReadAt): Promise<number> {
  return accountSchema.parse(await runtime.read('Account', [address], { ...at, pallet: 'System' })).nonce
}

/** What of an extrinsic is decided before the connection it travels on is open. */
export interface SigningChoice {
  /** Default: the one after everything the pool holds. */
  readonly nonce?: number | undefined
  /** First block the extrinsic must not get into any more. */
  readonly untilBlock?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a signature covers; the hash of payloads longer than 256 bytes (generic/unchecked_extrinsic.rs). */
export function signingBytes(runtime: Runtime, payload: ExtrinsicPayloadValue): Uint8Array {
  const { registry } = runtime.api
  const bytes = registry.createType('ExtrinsicPayload', payload, { version: 4 }).toU8a({ method: true })
  return bytes.length > 256 ? registry.hash(bytes) : bytes
}

/**
 * Signs a call for the chain state this link sees.
 *
 * @returns undefined when too few blocks are left before `untilBlock`.
 */
export async function signCall(
  link: Link,
  signer: ChainSigner,
  call: Call,
  { nonce: chosen, untilBlock, signal }: SigningChoice = {},
): Promise<SignedExtrinsic | undefined> {
  const { runtime, rpc } = link
  const { registry } = runtime.api
  const extrinsic = buildCall(runtime, call)
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
    era: registry.createType('ExtrinsicEra', { current: birth.number, period }).toHex(),
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

/**
 * Hands a signed extrinsic to the pool and waits until it is in a block, then reads how its dispatch ended.
 *
 * @param waitMs deadline for the inclusion.
 */
export async function submitExtrinsic(
  link: Link,
  signed: SignedExtrinsic,
  clock: Clock,
  waitMs: number,
  signal?: AbortSignal,
): Promise<Submission> {
  const { hash } = signed
  const inclusion = await watchInclusion(link, signed, clock, waitMs, signal)
  if (typeof inclusion !== 'string') return inclusion
  try {
    return await readOutcome(link, inclusion, hash, signal)
  } catch (error) {
    if (signal?.aborted) throw error
    return { kind: 'unconfirmed', reason: `in block ${inclusion}, but its outcome cannot be read`, hash }
  }
}

const statusSchema = z.union([
  z.enum(['future', 'ready', 'dropped', 'invalid']),
  z.object({ broadcast: z.array(z.string()) }),
  z.object({ inBlock: z.string() }),
  z.object({ finalized: z.string() }),
  z.object({ retracted: z.string() }),
  z.object({ finalityTimeout: z.string() }),
  z.object({ usurped: z.string() }),
])

/** @returns hash of the block that holds the extrinsic, or why there is none. */
async function watchInclusion(
  { rpc }: Link,
  { hex, hash }: SignedExtrinsic,
  clock: Clock,
  waitMs: number,
  signal?: AbortSignal,
): Promise<string | Submission> {
  const settled = new AbortController()
  let unsubscribe: () => void = () => {}
  const outcome = new Promise<string | Submission>((resolve) => {
    const unconfirmed = (reason: string) => resolve({ kind: 'unconfirmed', reason, hash })
    const onStatus = (notice: unknown) => {
      const status = statusSchema.safeParse(notice)
      if (!status.success) return
      const { data } = status
      if (data === 'dropped') unconfirmed('dropped from the pool')
      else if (data === 'invalid') {
        resolve({ kind: 'refused', refusal: refusalStale('invalid in the pool'), hash })
      } else if (typeof data === 'string') return
      // Finality in the same tick can hide `inBlock`: either will do.
      else if ('inBlock' in data) resolve(data.inBlock)
      else if ('finalized' in data) resolve(data.finalized)
      else if ('usurped' in data) unconfirmed('replaced by another extrinsic of the same nonce')
    }
    rpc
      .subscribe('author_submitAndWatchExtrinsic', [hex], 'author_unwatchExtrinsic', onStatus, { signal })
      .then((stop) => {
        unsubscribe = stop
      })
      .catch((error: unknown) => resolve(submissionFailure(error, hash)))
    rpc.closed.then((reason) => unconfirmed(`connection lost: ${reason}`)).catch(() => {})
    clock
      .sleep(waitMs, AbortSignal.any(signal ? [settled.signal, signal] : [settled.signal]))
      .then(() => unconfirmed(`not in a block after ${waitMs} ms`))
      .catch(() => unconfirmed('aborted'))
  })
  try {
    return await outcome
  } finally {
    settled.abort()
    unsubscribe()
  }
}

function submissionFailure(error: unknown, hash: string): Submission {
  if (error instanceof RpcError) {
    const refused = refusalOfPoolError(error)
    return refused
      ? { kind: 'refused', refusal: refused, hash }
      : { kind: 'unconfirmed', reason: error.message, hash }
  }
  if (error instanceof DeadlineError || error instanceof TargonError) {
    return { kind: 'unconfirmed', reason: error.message, hash }
  }
  return { kind: 'unconfirmed', reason: 'submission failed', hash }
}

function refusalStale(name: string): ChainRefusal {
  return { class: 'stale', name, detail: 'Nonce and runtime are read again and the call is signed anew.' }
}

const blockSchema = z.object({
  block: z.object({ header: z.object({ number: z.string() }), extrinsics: z.array(z.string()) }),
})

const eventsSchema = z.array(
  z.object({
    phase: z.object({ kind: z.string(), value: z.unknown() }),
    event: z.object({ kind: z.string(), value: z.object({ kind: z.string(), value: z.unknown() }) }),
  }),
)

const failureSchema = z.object({ dispatch_error: z.object({ kind: z.string(), value: z.unknown() }) })
const moduleErrorSchema = z.object({
  index: z.number(),
  error: z.union([z.number(), z.instanceof(Uint8Array)]),
})

/** Finds the extrinsic in its block and reads System.ExtrinsicSuccess or ExtrinsicFailed for it. */
async function readOutcome(
  { rpc, runtime }: Link,
  blockHash: string,
  hash: string,
  signal?: AbortSignal,
): Promise<Submission> {
  const { block } = blockSchema.parse(await rpc.request('chain_getBlock', [blockHash], { signal }))
  const index = block.extrinsics.findIndex((hex) => extrinsicHash(runtime, hex) === hash)
  if (index < 0) return { kind: 'unconfirmed', reason: `block ${blockHash} does not hold it`, hash }
  const events = eventsSchema.parse(
    await runtime.read('Events', [], { blockHash, pallet: 'System', ...(signal ? { signal } : {}) }),
  )
  const own = events.filter(({ phase }) => phase.kind === 'ApplyExtrinsic' && phase.value === index)
  const failed = own.find(({ event }) => event.kind === 'System' && event.value.kind === 'ExtrinsicFailed')
  if (failed) {
    const name = dispatchErrorName(runtime, failed.event.value.value)
    return { kind: 'refused', refusal: refusalOfDispatchError(name), hash }
  }
  if (own.some(({ event }) => event.kind === 'System' && event.value.kind === 'ExtrinsicSuccess')) {
    return { kind: 'included', hash, blockHash, block: Number(block.header.number) }
  }
  return { kind: 'unconfirmed', reason: `block ${blockHash} tells no outcome`, hash }
}

function extrinsicHash(runtime: Runtime, hex: string): string {
  return `0x${Buffer.from(runtime.api.registry.hash(hexSchema.parse(hex))).toString('hex')}`
}

function dispatchErrorName(runtime: Runtime, failure: unknown): string {
  const { dispatch_error: error } = failureSchema.parse(failure)
  const parsed = moduleErrorSchema.safeParse(error.value)
  if (error.kind !== 'Module' || !parsed.success) return error.kind
  const { index, error: variant } = parsed.data
  const number = typeof variant === 'number' ? variant : (variant[0] ?? 0)
  try {
    return runtime.api.registry.findMetaError(Uint8Array.of(index, number)).name
  } catch {
    return `Module ${index} error ${number}`
  }
}
