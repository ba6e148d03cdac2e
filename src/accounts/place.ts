import { join } from 'node:path'
import type { DatabasePlace } from '../database/index.js'

/** What decides where the keys of a hub are. */
export interface HubPlace {
  /** Of a PostgreSQL database. */
  readonly url: string | undefined
  /** The state folder of the hub. */
  readonly stateDir: string
}

/** The database of the keys: the given one, or an SQLite file in the state folder of the hub. */
export function accountsPlace({ url, stateDir }: HubPlace): DatabasePlace {
  return url === undefined ? { file: join(stateDir, 'accounts.sqlite') } : { url }
}
