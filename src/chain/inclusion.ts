import { z } from 'zod'
import { type Clock, TargonError } from '../kernel/index.js'
import type { Link } from './link.js'
import { hexSchema } from './metadata.js'
import type { ChainRefusal } from './outcomes.js'
import { refusal, refusalOfDispatchError, refusalOfPoolError } from './refusal.js'
import { RpcError } from './rpc.js'
import type { Runtime } from './runtime.js'
import type { SignedExtrinsic } from './signed-extrinsic.js'

/** How a submission ended. An `unconfirmed` one may have landed: check the chain before repeating it. */
export type Submission =
  | { readonly kind: 'included'; readonly hash: string; readonly blockHash: string; readonly block: number }
  | { readonly kind: 'refused'; readonly refusal: ChainRefusal; readonly hash?: string }
  | { readonly kind: 'unconfirmed'; readonly reason: string; readonly hash?: string }

/**
 * Submits a signed extrinsic to the pool, waits for its inclusion in a block and reads the outcome of its dispatch.
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
    return {
      kind: 'unconfirmed',
      reason: `included in block ${inclusion}, but its outcome could not be read`,
      hash,
    }
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

/** @returns hash of the block that includes the extrinsic, or why there is none. */
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
        resolve({ kind: 'refused', refusal: refusal('stale', 'invalid in the pool'), hash })
      } else if (typeof data === 'string') return
      // Finality in the same tick can hide `inBlock`, so either will do.
      else if ('inBlock' in data) resolve(data.inBlock)
      else if ('finalized' in data) resolve(data.finalized)
      else if ('usurped' in data) unconfirmed('replaced by another extrinsic with the same nonce')
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
      .then(() => unconfirmed(`not included in a block within ${waitMs} ms`))
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
  const reason = error instanceof TargonError ? error.message : 'submission failed'
  return { kind: 'unconfirmed', reason, hash }
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

/** Finds the extrinsic in its block and reads its System.ExtrinsicSuccess or ExtrinsicFailed event. */
async function readOutcome(
  { rpc, runtime }: Link,
  blockHash: string,
  hash: string,
  signal?: AbortSignal,
): Promise<Submission> {
  const { block } = blockSchema.parse(await rpc.request('chain_getBlock', [blockHash], { signal }))
  const index = block.extrinsics.findIndex((hex) => extrinsicHash(runtime, hex) === hash)
  if (index < 0) return { kind: 'unconfirmed', reason: `block ${blockHash} does not include it`, hash }
  const events = eventsSchema.parse(
    await runtime.read('Events', [], { blockHash, pallet: 'System', ...(signal ? { signal } : {}) }),
  )
  const ours = events.filter(({ phase }) => phase.kind === 'ApplyExtrinsic' && phase.value === index)
  const failed = ours.find(({ event }) => event.kind === 'System' && event.value.kind === 'ExtrinsicFailed')
  if (failed) {
    const name = dispatchErrorName(runtime, failed.event.value.value)
    return { kind: 'refused', refusal: refusalOfDispatchError(name), hash }
  }
  if (ours.some(({ event }) => event.kind === 'System' && event.value.kind === 'ExtrinsicSuccess')) {
    return { kind: 'included', hash, blockHash, block: Number(block.header.number) }
  }
  return { kind: 'unconfirmed', reason: `block ${blockHash} has no outcome for it`, hash }
}

function extrinsicHash(runtime: Runtime, hex: string): string {
  return `0x${Buffer.from(runtime.types.registry.hash(hexSchema.parse(hex))).toString('hex')}`
}

function dispatchErrorName(runtime: Runtime, failure: unknown): string {
  const { dispatch_error: error } = failureSchema.parse(failure)
  const parsed = moduleErrorSchema.safeParse(error.value)
  if (error.kind !== 'Module' || !parsed.success) return error.kind
  const { index, error: variant } = parsed.data
  const number = typeof variant === 'number' ? variant : (variant[0] ?? 0)
  try {
    return runtime.types.registry.findMetaError(Uint8Array.of(index, number)).name
  } catch {
    return `Module ${index} error ${number}`
  }
}
