import { open } from 'node:fs/promises'
import { examineDatabase } from '../../history/index.js'
import { hasCode, messageOf, withDeadline } from '../../kernel/index.js'
import type { Check, MinerContext, ValidatorContext } from '../context.js'
import { fail, ok, type Seen, warn } from '../finding.js'

const CALL_MS = 10_000
const SQLITE_HEADER = 'SQLite format 3\0'

/** The service of organics. A validator works without it. */
export const hubCheck: Check<ValidatorContext> = {
  id: 'hub',
  title: 'the answer of the hub',
  run: async ({ settings, clock }, signal) => {
    const url = settings['hub.url']
    if (url === 'off') return [ok('No hub is used.')]
    try {
      const status = await withDeadline(clock, `the answer of ${url}`, CALL_MS, signal, async (own) => {
        const response = await fetch(url, { signal: own, redirect: 'manual' })
        await response.body?.cancel()
        return response.status
      })
      return [ok(`The hub ${url} answers (${status}).`)]
    } catch (error) {
      signal.throwIfAborted()
      const inner = error instanceof Error && error.cause !== undefined ? error.cause : error
      return [
        warn(
          `The hub ${url} does not answer: ${messageOf(inner).replace(/\.$/, '')}. Users’ requests are not scored.`,
          'Check --hub.url, or set it to off.',
        ),
      ]
    }
  },
}

export const databaseCheck: Check<ValidatorContext> = {
  id: 'database',
  title: 'the answer of the history database',
  run: async ({ settings, stateDir }) => {
    if (!settings.history) return [ok('No history is kept.')]
    const url = settings['database.url']
    if (url === undefined) {
      if (stateDir === undefined) return []
      const { historyFile } = await import('../../roles/validator/reports/index.js')
      return [await fileFinding(historyFile(stateDir))]
    }
    const { server, isPooled } = await examineDatabase(url)
    return [ok(`${server} answers${isPooled ? ', behind a pooler that takes no statement_timeout' : ''}.`)]
  },
}

async function fileFinding(file: string): Promise<Seen> {
  try {
    if (await isSqlite(file)) return ok(`The history is kept in ${file}.`)
    return warn(
      `${file} is not an SQLite file; the validator sets it aside at its next start.`,
      `Recover what it still holds with: sqlite3 ${file} .recover`,
    )
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return ok(`The history will be kept in ${file}.`)
    return fail(`The history cannot be read: ${messageOf(error)}.`, `Correct the owner of ${file}.`)
  }
}

/** Reads no more than the first bytes: a connection could write beside the file. @throws what opening it throws */
export async function isSqlite(file: string): Promise<boolean> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(SQLITE_HEADER.length))
    // A new file is empty until its first write.
    return bytesRead === 0 || buffer.toString('latin1') === SQLITE_HEADER
  } finally {
    await handle.close()
  }
}

export const redisCheck: Check<MinerContext> = {
  id: 'redis',
  title: 'the answer of Redis',
  run: async ({ settings, clock }, signal) => {
    const url = settings['replay.redis-url']
    if (url === undefined) return []
    const { Redis } = await import('ioredis')
    const options = { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 1 }
    const redis = new Redis(url, { ...options, connectTimeout: 5000, retryStrategy: () => null })
    let reason: unknown
    redis.on('error', (error: unknown) => {
      reason = error
    })
    try {
      const policy = await withDeadline(clock, 'the answer of Redis', CALL_MS, signal, async () => {
        await redis.connect()
        await redis.ping()
        const [, value] = (await redis.config('GET', 'maxmemory-policy').catch(() => [])) as string[]
        return value
      })
      if (policy === undefined || policy === 'noeviction') return [ok('Redis answers and keeps its keys.')]
      return [
        warn(
          `Redis has maxmemory-policy ${policy}: it may drop keys that still guard against replays.`,
          'Set maxmemory-policy noeviction.',
        ),
      ]
    } catch (error) {
      signal.throwIfAborted()
      return [
        fail(
          `Redis does not answer, so the miner would refuse every request: ${messageOf(reason ?? error).replace(/\.$/, '')}.`,
          'Start Redis, or correct --replay.redis-url.',
        ),
      ]
    } finally {
      redis.disconnect()
    }
  },
}
