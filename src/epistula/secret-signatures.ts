import type { Signer } from '../wallet/index.js'
import { secretInterval, secretMessages } from './message.js'

/** Cached receivers per signer: twice two intervals of a full subnet. */
const MAX_CACHED = 1024

interface CachedSignatures {
  readonly intervalMs: number
  readonly signatures: readonly string[]
}

const cacheBySigner = new WeakMap<Signer, Map<string, CachedSignatures>>()

/**
 * The three secret signatures (`0x` + 128 hex) for a receiver at a time. They depend only on signer, receiver and 10-second
 * interval, so they are cached, and those of the next interval can be computed in advance.
 */
export function secretSignatures(signer: Signer, signedFor: string, nowMs: number): readonly string[] {
  const cache = cacheBySigner.get(signer) ?? new Map<string, CachedSignatures>()
  cacheBySigner.set(signer, cache)
  const intervalMs = secretInterval(nowMs)
  const key = `${intervalMs}.${signedFor}`
  const known = cache.get(key)
  if (known) return known.signatures
  const signatures = secretMessages(intervalMs, signedFor).map(
    (message) => `0x${Buffer.from(signer.sign(message)).toString('hex')}`,
  )
  if (cache.size >= MAX_CACHED) makeRoom(cache, intervalMs)
  cache.set(key, { intervalMs, signatures })
  return signatures
}

/** Drops past intervals, and everything if that leaves no room. */
function makeRoom(cache: Map<string, CachedSignatures>, currentIntervalMs: number): void {
  for (const [key, entry] of cache) if (entry.intervalMs < currentIntervalMs) cache.delete(key)
  if (cache.size >= MAX_CACHED) cache.clear()
}
