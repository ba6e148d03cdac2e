import { join } from 'node:path'
import type { DatabasePlace } from '../database/index.js'

/** The database of the keys: the given one, or an SQLite file in the state folder of the hub. */
export function accountsPlace(url: string | undefined, stateDir: string): DatabasePlace {
  return url === undefined ? { file: join(stateDir, 'accounts.sqlite') } : { url }
}
