import type { Redis } from 'ioredis'
import {
  type ReplayGuard,
  type ReplayVerdict,
  replayKey,
  type SignedRequestId,
} from '../../../epistula/index.js'
import { type Clock, every, type Log, messageOf, TargonError, withDeadline } from '../../../kernel/index.js'

/** How far the clocks of two replicas may differ without a key expiring too early for one of them. */
const SKEW_MS = 10_000

const COMMAND_TIMEOUT_MS = 1000

/** For the whole first connection: name resolution, TCP, handshake, first command. */
const CONNECT_TIMEOUT_MS = 10_000

/** Pings are needed to notice that Redis is back: a miner that is not ready may receive no requests. */
const PING_INTERVAL_MS = 2000

export interface RedisReplayGuard extends ReplayGuard {
  /** Redis answered last time; while it does not, every request is refused with 503. */
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
  /** Aborts the first connection, and later the pings. */
  readonly signal: AbortSignal
}

/**
 * Remembers accepted requests for all replicas of a miner, each by one atomic SET … NX PX. While Redis does not answer, all
 * requests are refused (503). Redis also stores the time at which it began to remember. After a restart without its data
 * that key is missing and a new time is set; requests signed before it are then refused, since they could be replays, but
 * only while replays are possible, even if the clock was ahead when the time was set.
 *
 * @throws TargonError REDIS_UNREACHABLE (fault runtime); the abort reason when the signal aborts.
 */
export async function connectRedisReplayGuard(options: RedisReplayOptions): Promise<RedisReplayGuard> {
  const { clock, log, signal } = options
  const { Redis: Client } = await import('ioredis')
  const redis = new Client(options.url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: 5000,
  })
  const guard = new RedisGuard(redis, options)
  try {
    await withDeadline(clock, 'Connecting to the replay store', CONNECT_TIMEOUT_MS, signal, () =>
      guard.connect(),
    )
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
  guard.keepConnected()
  return guard
}

class RedisGuard implements RedisReplayGuard {
  readonly #redis: Redis
  readonly #options: RedisReplayOptions
  readonly #prefix: string
  readonly #keptMs: number
  /** When Redis began to remember, by the wall clock; infinite while unknown. */
  #sinceMs = Number.POSITIVE_INFINITY
  /** Monotonic milliseconds at which `#sinceMs` was read. */
  #sinceReadAt = 0
  #isDown = false

  constructor(redis: Redis, options: RedisReplayOptions) {
    this.#redis = redis.on('error', this.#markDown)
    this.#options = options
    this.#prefix = `targon:replay:${options.self}`
    this.#keptMs = 2 * options.windowMs + SKEW_MS
  }

  get isReachable(): boolean {
    return !this.#isDown
  }

  async admit(request: SignedRequestId): Promise<ReplayVerdict> {
    if (!Number.isFinite(this.#sinceMs)) return 'REPLAY_GUARD_FULL'
    const isRecent = this.#options.clock.monotonic() - this.#sinceReadAt <= this.#keptMs
    if (isRecent && request.timestampMs < this.#sinceMs) return 'BEFORE_START'
    try {
      const key = `${this.#prefix}:${replayKey(request)}`
      const answer = await this.#redis.set(key, '1', 'PX', this.#keptMs, 'NX')
      return answer === 'OK' ? 'fresh' : 'REPLAYED'
    } catch (error) {
      this.#markDown(error)
      return 'REPLAY_GUARD_FULL'
    }
  }

  async connect(): Promise<void> {
    await this.#redis.connect()
    await this.#readSince()
  }

  /** Pings until the signal aborts; after each reconnection, checks whether Redis lost its data. */
  keepConnected(): void {
    const { clock, signal } = this.#options
    this.#redis.on('ready', () => {
      this.#sinceMs = Number.POSITIVE_INFINITY
      this.#readSince().catch(this.#markDown)
    })
    const ping = async () => {
      await this.#redis.ping()
      if (Number.isFinite(this.#sinceMs)) this.#markUp()
      else await this.#readSince()
    }
    void every(clock, PING_INTERVAL_MS, signal, ping, (error) => {
      this.#markDown(error)
      // A half-open connection would stay silent until the system stops resending; a new one shows the real state.
      if (this.#redis.status === 'ready') this.#redis.disconnect(true)
    })
  }

  async close(): Promise<void> {
    this.#redis.disconnect()
  }

  async #readSince(): Promise<void> {
    const key = `${this.#prefix}:since`
    // The first replica sets it.
    await this.#redis.set(key, String(this.#options.clock.now()), 'NX')
    const since = await this.#redis.get(key)
    this.#sinceReadAt = this.#options.clock.monotonic()
    const isValid = since !== null && /^\d+$/.test(since)
    this.#sinceMs = isValid ? Number(since) : Number.POSITIVE_INFINITY
    // Evicted or overwritten: refusing all requests is better than accepting a copy.
    if (!isValid) throw new Error(`${key} is missing or not a number`)
    this.#markUp()
  }

  readonly #markDown = (error: unknown): void => {
    if (!this.#isDown)
      this.#options.log.error(
        { event: 'replay-store-unreachable', err: error },
        'replay store unreachable: refusing all requests',
      )
    this.#isDown = true
  }

  #markUp(): void {
    if (this.#isDown)
      this.#options.log.info({ event: 'replay-store-reachable' }, 'replay store is reachable again')
    this.#isDown = false
  }
}

/** A Redis that may evict keys may forget a request that could still be replayed. */
async function warnOfEviction(redis: Redis, log: Log): Promise<void> {
  try {
    const [, policy] = (await redis.config('GET', 'maxmemory-policy')) as string[]
    if (policy !== undefined && policy !== 'noeviction') {
      log.warn(
        { event: 'replay-store-evicts', policy, next: 'Set maxmemory-policy noeviction.' },
        'replay store may evict keys that are still needed',
      )
    }
  } catch {
    log.debug(
      { event: 'replay-store-policy-unknown' },
      'could not read the eviction policy of the replay store',
    )
  }
}
