import { createHash } from 'node:crypto'
import type { Clock } from '../kernel/index.js'
import { TIMESTAMP_WINDOW_MS } from './verify-request.js'

export type ReplayVerdict = 'fresh' | 'REPLAYED' | 'BEFORE_START' | 'REPLAY_GUARD_FULL'

/** Identifies a signed request: one signature allows one call, whatever its path. */
export interface SignedRequestId {
  readonly signedBy: string
  readonly uuid: string
  readonly timestampMs: number
}

/**
 * Remembers verified requests. `admit` checks and remembers in one step, so that exactly one of several simultaneous copies
 * is `fresh`. In memory, or in a store shared by replicas.
 */
export interface ReplayGuard {
  admit(request: SignedRequestId): ReplayVerdict | Promise<ReplayVerdict>
}

/** Far above what one process can verify before a key expires (16 s at about 4,000 signatures/s). */
const DEFAULT_CAPACITY = 131_072

/** A key of bounded length for any request; callers choose the uuid and its length. */
export function replayKey(request: SignedRequestId): string {
  const key = `${request.signedBy}.${request.uuid}`
  return key.length <= 128 ? key : createHash('sha256').update(key).digest('base64')
}

export interface ReplayMemory extends ReplayGuard {
  admit(request: SignedRequestId): ReplayVerdict
  /** Number of keys in memory. */
  readonly size: number
}

/**
 * A replay guard in memory. A key is kept until its timestamp has left the window, by the monotonic clock, and never evicted
 * earlier: a full guard refuses requests. Requests from before the guard was created are refused, because a previous
 * process may have served them, but only while they can be within the window, in case the clock was ahead at the start.
 * Requests no newer than an expired one are refused too, in case the wall clock was set back.
 */
export function createReplayMemory(
  clock: Clock,
  { windowMs = TIMESTAMP_WINDOW_MS, capacity = DEFAULT_CAPACITY } = {},
): ReplayMemory {
  const startMs = clock.now()
  const startedAt = clock.monotonic()
  let expiredUpToMs = Number.NEGATIVE_INFINITY
  const live = new Set<string>()
  /** Keys and their newest timestamp, by the monotonic second in which they expire. */
  const expiring = new Map<number, { keys: string[]; newestMs: number }>()
  let sweptSecond = Math.floor(clock.monotonic() / 1000)

  function sweep(nowSecond: number): void {
    if (nowSecond - sweptSecond > expiring.size) {
      for (const second of expiring.keys()) if (second < nowSecond) expire(second)
    } else {
      for (let second = sweptSecond; second < nowSecond; second++) expire(second)
    }
    sweptSecond = nowSecond
  }

  function expire(second: number): void {
    const bucket = expiring.get(second)
    if (!bucket) return
    for (const key of bucket.keys) live.delete(key)
    expiredUpToMs = Math.max(expiredUpToMs, bucket.newestMs)
    expiring.delete(second)
  }

  return {
    get size() {
      return live.size
    },
    admit(request) {
      const monotonicMs = clock.monotonic()
      sweep(Math.floor(monotonicMs / 1000))
      const isNew = monotonicMs - startedAt <= 2 * windowMs
      if (isNew && request.timestampMs < startMs) return 'BEFORE_START'
      const key = replayKey(request)
      if (live.has(key) || request.timestampMs <= expiredUpToMs) return 'REPLAYED'
      if (live.size >= capacity) return 'REPLAY_GUARD_FULL'
      const remainingMs = Math.max(0, request.timestampMs + windowMs - clock.now())
      const second = Math.floor((monotonicMs + remainingMs) / 1000) + 1
      const bucket = expiring.get(second) ?? { keys: [], newestMs: request.timestampMs }
      bucket.keys.push(key)
      bucket.newestMs = Math.max(bucket.newestMs, request.timestampMs)
      expiring.set(second, bucket)
      live.add(key)
      return 'fresh'
    },
  }
}
