import type { Redis } from 'ioredis'
import { type ReplayAnswer, type ReplayGuard, replayKey } from '../../../epistula/index.js'
import { type Clock, every, type Log, messageOf, TargonError, withDeadline } from '../../../kernel/index.js'

/** Clocks of two replicas may differ by this much without a key expiring too early for one of them. */
const SKEW_MS = 10_000

const COMMAND_TIMEOUT_MS = 1000

/** For the first connection as a whole: name, connection, greeting, first command. */
const CONNECT_TIMEOUT_MS = 10_000

/** How often it is asked for a sign of life: a miner that is not ready gets no requests that would show it back. */
const PING_INTERVAL_MS = 2000

export interface RedisReplayGuard extends ReplayGuard {
  /** It answered last time; while it does not, every request is refused with 503. */
  readonly isReachable: boolean
  close(): Promise<void>
}

export interface RedisReplayOptions {
  readonly url: string
  /** Receiver of the requests: several miners may share one Redis. */
  readonly self: string
  readonly windowMs: number
  readonly clock: Clock
  readonly log: Log
  /** Ends the first connection, and later the signs of life. */
  readonly signal: AbortSignal
}

/**
 * Remembers accepted requests for all replicas of a miner: one atomic SET … NX PX each. When Redis does not answer, nobody is
 * let in (503). A Redis that forgot (restarted without its data) is noticed by a mark it no longer has, and requests stamped
 * before the mark is set anew are refused for as long as they could be copies: a clock that was ahead when the mark was set
 * locks nobody out for longer.
 *
 * @throws TargonError REDIS_UNREACHABLE (fault runtime); the abort reason when the signal aborts.
 */
export async function connectRedisReplayGuard(options: RedisReplayOptions): Promise<RedisReplayGuard> {
  const { clock, log, signal } = options
  const keptMs = 2 * options.windowMs + SKEW_MS
  const { Redis: Client } = await import('ioredis')
  const redis = new Client(options.url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: 5000,
  })
  let isDown = false
  const markDown = (error: unknown) => {
    if (!isDown)
      log.error(
        { event: 'replay-store-unreachable', err: error },
        'replay store unreachable: refusing requests',
      )
    isDown = true
  }
  const markUp = () => {
    if (isDown) log.info({ event: 'replay-store-reachable' }, 'replay store reachable again')
    isDown = false
  }
  redis.on('error', markDown)
  const prefix = `targon:replay:${options.self}`
  let sinceMs = Number.POSITIVE_INFINITY
  let readAt = 0
  const readMark = async () => {
    sinceMs = await markOf(redis, `${prefix}:since`, clock.now())
    readAt = clock.monotonic()
    if (!Number.isFinite(sinceMs)) throw new Error('it does not keep its mark')
    markUp()
  }
  try {
    await withDeadline(clock, 'Connecting to the replay store', CONNECT_TIMEOUT_MS, signal, async () => {
      await redis.connect()
      await readMark()
    })
  } catch (error) {
    redis.disconnect()
    if (signal.aborted) throw error
    throw new TargonError(
      `The replay store does not answer: ${messageOf(error)}.`,
      {
        code: 'REDIS_UNREACHABLE',
        fault: 'runtime',
        next: 'Start Redis, or correct --replay.redis-url.',
      },
      { cause: error },
    )
  }
  await warnOfEviction(redis, log)
  redis.on('ready', () => {
    sinceMs = Number.POSITIVE_INFINITY
    readMark().catch(markDown)
  })
  const ping = async () => {
    await redis.ping()
    if (Number.isFinite(sinceMs)) markUp()
    else await readMark()
  }
  void every(clock, PING_INTERVAL_MS, signal, ping, (error) => {
    markDown(error)
    // Half open, it would stay silent for as long as the system goes on sending: a new connection shows how things are.
    if (redis.status === 'ready') redis.disconnect(true)
  })
  return {
    get isReachable() {
      return !isDown
    },
    admit: async (request): Promise<ReplayAnswer> => {
      if (!Number.isFinite(sinceMs)) return 'REPLAY_GUARD_FULL'
      const isNew = clock.monotonic() - readAt <= keptMs
      if (isNew && request.timestampMs < sinceMs) return 'BEFORE_START'
      try {
        const answer = await redis.set(`${prefix}:${replayKey(request)}`, '1', 'PX', keptMs, 'NX')
        return answer === 'OK' ? 'fresh' : 'REPLAYED'
      } catch (error) {
        markDown(error)
        return 'REPLAY_GUARD_FULL'
      }
    },
    close: async () => {
      redis.disconnect()
    },
  }
}

/** The moment this store began to remember, set by whoever comes first. */
async function markOf(redis: Redis, key: string, nowMs: number): Promise<number> {
  await redis.set(key, String(nowMs), 'NX')
  const mark = await redis.get(key)
  // One that is no number, or was evicted in between, proves nothing: better nobody than a copy.
  return mark !== null && /^\d+$/.test(mark) ? Number(mark) : Number.POSITIVE_INFINITY
}

/** A Redis that may evict keys may forget a live one. */
async function warnOfEviction(redis: Redis, log: Log): Promise<void> {
  try {
    const [, policy] = (await redis.config('GET', 'maxmemory-policy')) as string[]
    if (policy !== undefined && policy !== 'noeviction') {
      log.warn(
        { event: 'replay-store-evicts', policy, next: 'Set maxmemory-policy noeviction.' },
        'the replay store may evict live entries',
      )
    }
  } catch {
    log.debug({ event: 'replay-store-policy-unknown' }, 'the replay store does not tell its eviction policy')
  }
}
