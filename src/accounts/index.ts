/**
 * API keys of the hub: their limits, what running requests have reserved, and what was used.
 *
 * Tests named after a behaviour: accounts.test.ts (accounts.ts, key-lane.ts, batch.ts, connection.ts, key-row.ts,
 * manage-keys.ts), whose cases in accounts-suite.ts also run against PostgreSQL; balance.property.test.ts (balance.ts).
 */
export { type AccountsOptions, openAccounts } from './accounts.js'
export { changeKey, createKey, type KeyChanges, type ListedKey, listKeys, revokeKey } from './manage-keys.js'
export { openAccountsDatabase } from './open-database.js'
export { accountsPlace } from './place.js'
export { readUsage, type UsageRow } from './read-usage.js'
export type {
  Accounts,
  ApiKey,
  KeyLimits,
  LimitReason,
  Refusal,
  Reservation,
  Use,
} from './types.js'
