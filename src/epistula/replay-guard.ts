import { createHash } from 'node:crypto'
import type { Clock } from '../kernel/index.js'
import { TIMESTAMP_WINDOW_MS } from './verify-request.js'

export type ReplayAnswer = 'fresh' | 'REPLAYED' | 'BEFORE_START' | 'REPLAY_GUARD_FULL'

/** What identifies a signed request: one signature buys one call, whatever its path. */
export interface SignedOnce {
  readonly signedBy: string
  readonly uuid: string
  readonly timestampMs: number
}

/**
 * Remembers requests whose signature was good. `admit` both asks and remembers, so that of many copies arriving at once
 * exactly one is `fresh`. In memory, or behind several replicas in a shared store.
 */
export interface ReplayGuard {
  admit(request: SignedOnce): ReplayAnswer | Promise<ReplayAnswer>
}

/** Far above what one process can verify in the life of a key (16 s at some 4,000 signatures/s). */
const DEFAULT_CAPACITY = 131_072

/** A short name for any request: a caller chooses the uuid and its length. */
export function replayKey(request: SignedOnce): string {
  const key = `${request.signedBy}.${request.uuid}`
  return key.length <= 128 ? key : createHash('sha256').update(key).digest('base64')
}

export interface ReplayMemory extends ReplayGuard {
  admit(request: SignedOnce): ReplayAnswer
  /** Keys held now. */
  readonly size: number
}

/**
 * In-memory guard. A key lives until its timestamp has left the window, on the monotonic clock, and is never evicted
 * before: a full store refuses. Requests stamped before this guard was made are refused, since a previous process may have
 * served them, until none of them can be within the window any more: a clock that was ahead at the start locks nobody out
 * for longer. Those no younger than a forgotten one are refused too, in case the wall clock was set back.
 */
export function createReplayMemory(
  clock: Clock,
  { windowMs = TIMESTAMP_WINDOW_MS, capacity = DEFAULT_CAPACITY } = {},
): ReplayMemory {
  const startMs = clock.now()
  const startedAt = clock.monotonic()
  let forgottenUpToMs = Number.NEGATIVE_INFINITY
  const live = new Set<string>()
  /** Keys and newest timestamp by the second (monotonic) in which they expire. */
  const expiring = new Map<number, { keys: string[]; newestMs: number }>()
  let sweptSecond = Math.floor(clock.monotonic() / 1000)

  function sweep(nowSecond: number): void {
    if (nowSecond - sweptSecond > expiring.size) {
      for (const second of expiring.keys()) if (second < nowSecond) forget(second)
    } else {
      for (let second = sweptSecond; second < nowSecond; second++) forget(second)
    }
    sweptSecond = nowSecond
  }

  function forget(second: number): void {
    const bucket = expiring.get(second)
    if (!bucket) return
    for (const key of bucket.keys) live.delete(key)
    forgottenUpToMs = Math.max(forgottenUpToMs, bucket.newestMs)
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
      if (live.has(key) || request.timestampMs <= forgottenUpToMs) return 'REPLAYED'
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
