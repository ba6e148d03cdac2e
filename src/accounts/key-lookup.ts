import { sql } from 'drizzle-orm'
import { type Clock, DeadlineError, dropOldest, withDeadline } from '../kernel/index.js'
import { type AccountsConnection, unavailable } from './connection.js'
import { KEY_COLUMNS, type KeyRow, keyOf } from './key-row.js'
import { hashSecret, isSecret } from './secret.js'
import type { ApiKey } from './types.js'

/** How long a key is taken from memory, and so the longest time that a revoked key still works. */
const FRESH_MS = 5000
const MAX_KEPT = 10_000
const TIMEOUT_MS = 5000

interface Kept {
  readonly key: ApiKey
  readonly readAtMs: number
}

/** Finds keys by their secret, which is kept nowhere: memory and database have its hash. */
export class KeyLookup {
  readonly #kept = new Map<string, Kept>()
  readonly #reading = new Map<string, Promise<ApiKey | undefined>>()

  constructor(
    private readonly connection: AccountsConnection,
    private readonly clock: Clock,
  ) {}

  /** @throws TargonError ACCOUNTS_UNAVAILABLE */
  async find(secret: string): Promise<ApiKey | undefined> {
    if (!isSecret(secret)) return undefined
    const hash = hashSecret(secret)
    const kept = this.#kept.get(hash)
    if (kept && this.clock.monotonic() - kept.readAtMs < FRESH_MS) return kept.key
    const known = this.#reading.get(hash)
    if (known !== undefined) return known
    const reading = this.#read(hash).finally(() => this.#reading.delete(hash))
    this.#reading.set(hash, reading)
    return reading
  }

  async #read(hash: string): Promise<ApiKey | undefined> {
    const readAtMs = this.clock.monotonic()
    const query = sql`select ${KEY_COLUMNS} from hub_keys where secret_hash = ${hash} and revoked_at is null`
    const read = () => this.connection.use(({ all }) => all<KeyRow>(query))
    const [row] = await withDeadline(this.clock, 'reading an API key', TIMEOUT_MS, undefined, read).catch(
      (error: unknown) => {
        throw error instanceof DeadlineError ? unavailable(error) : error
      },
    )
    this.#kept.delete(hash)
    if (!row) return undefined
    const key = keyOf(row)
    this.#kept.set(hash, { key, readAtMs })
    dropOldest(this.#kept, MAX_KEPT)
    return key
  }
}
