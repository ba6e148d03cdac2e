import type { Clock } from './clock.js'
import { putNewest } from './put-newest.js'

/** Addresses remembered at once; a full table forgets the one whose last failure is oldest. */
const MAX_ADDRESSES = 65_536

interface Bucket {
  tokens: number
  at: number
}

/** A token bucket per address: each may fail `perSecond` times a second, with bursts of twice as many. */
export interface FailureBuckets {
  isExhausted(address: string): boolean
  fail(address: string): void
}

export function createFailureBuckets(clock: Clock, perSecond: number): FailureBuckets {
  const burst = perSecond * 2
  const buckets = new Map<string, Bucket>()
  const current = (address: string): Bucket => {
    const now = clock.monotonic()
    const bucket = buckets.get(address) ?? { tokens: burst, at: now }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond)
    bucket.at = now
    return bucket
  }
  return {
    isExhausted: (address) => buckets.has(address) && current(address).tokens < 1,
    fail: (address) => {
      const bucket = current(address)
      bucket.tokens = Math.max(0, bucket.tokens - 1)
      putNewest(buckets, address, bucket, MAX_ADDRESSES)
    },
  }
}
