import type { Signer } from '../wallet/index.js'
import { secretInterval, secretMessages } from './message.js'

/** Receivers remembered per signer: two intervals of a full subnet, twice over. */
const MAX_REMEMBERED = 1024

interface Remembered {
  readonly intervalMs: number
  readonly signatures: readonly string[]
}

const rememberedBySigner = new WeakMap<Signer, Map<string, Remembered>>()

/**
 * The three secret signatures (`0x` + 128 hex) for a receiver at a moment. They depend on nothing but signer, receiver and
 * 10-second interval, so a second request in the same interval costs no signing, and a caller may ask for a moment of the
 * next interval ahead of time.
 */
export function secretSignatures(signer: Signer, signedFor: string, nowMs: number): readonly string[] {
  const remembered = rememberedBySigner.get(signer) ?? new Map<string, Remembered>()
  rememberedBySigner.set(signer, remembered)
  const intervalMs = secretInterval(nowMs)
  const key = `${intervalMs}.${signedFor}`
  const known = remembered.get(key)
  if (known) return known.signatures
  const signatures = secretMessages(intervalMs, signedFor).map(
    (message) => `0x${Buffer.from(signer.sign(message)).toString('hex')}`,
  )
  if (remembered.size >= MAX_REMEMBERED) forget(remembered, intervalMs)
  remembered.set(key, { intervalMs, signatures })
  return signatures
}

/** Drops past intervals, then everything when even that leaves no room. */
function forget(remembered: Map<string, Remembered>, currentIntervalMs: number): void {
  for (const [key, entry] of remembered) if (entry.intervalMs < currentIntervalMs) remembered.delete(key)
  if (remembered.size >= MAX_REMEMBERED) remembered.clear()
}
