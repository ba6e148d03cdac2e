import type { Signer } from '../wallet/index.js'
import { secretInterval, secretMessages } from './message.js'

/** Cached receivers per signer: twice two intervals of a full subnet. */
const MAX_CACHED = 1024

/** Signatures by receiver, of the newest interval and the one before it, which is the current one after signing ahead. */
interface Cache {
  newestMs: number
  readonly byReceiver: Map<string, { readonly intervalMs: number; readonly signatures: readonly string[] }>
}

const cacheBySigner = new WeakMap<Signer, Cache>()

/**
 * The three secret signatures (`0x` + 128 hex) for a receiver at a time. They depend only on signer, receiver and 10-second
 * interval, so they are cached, and those of the next interval can be computed in advance.
 */
export function secretSignatures(signer: Signer, signedFor: string, nowMs: number): readonly string[] {
  const cache = cacheBySigner.get(signer) ?? { newestMs: 0, byReceiver: new Map() }
  cacheBySigner.set(signer, cache)
  const intervalMs = secretInterval(nowMs)
  if (intervalMs > cache.newestMs) begin(cache, intervalMs)
  const { byReceiver } = cache
  const key = `${intervalMs}.${signedFor}`
  const known = byReceiver.get(key)
  if (known) return known.signatures
  const signatures = secretMessages(intervalMs, signedFor).map(
    (message) => `0x${Buffer.from(signer.sign(message)).toString('hex')}`,
  )
  if (byReceiver.size >= MAX_CACHED) byReceiver.clear()
  byReceiver.set(key, { intervalMs, signatures })
  return signatures
}

/** Called when a new interval begins: older signatures than those of the last one are never needed again. */
function begin(cache: Cache, intervalMs: number): void {
  const { byReceiver, newestMs } = cache
  for (const [key, entry] of byReceiver) if (entry.intervalMs < newestMs) byReceiver.delete(key)
  cache.newestMs = intervalMs
}
