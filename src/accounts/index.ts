/**
 * API keys of the hub: their limits, what running requests have reserved, and what was used.
 *
 * Tests named after a behaviour: accounts.test.ts (types.ts, accounts.ts, key-lane.ts, batch.ts, connection.ts, key-row.ts,
 * manage-keys.ts), whose cases in accounts-suite.ts also run against PostgreSQL; ../commands/hub/keys.test.ts (parse-limits.ts).
 */
export { type AccountsOptions, openAccounts } from './accounts.js'
export { keyDocument, keyTable, RIGHT_ALIGNED } from './describe-keys.js'
export { RIGHT_ALIGNED_USAGE, usageCsv, usageDocument, usageTable } from './describe-usage.js'
export { examineAccounts } from './examine-accounts.js'
export { changeKey, createKey, type KeyChanges, type ListedKey, listKeys, revokeKey } from './manage-keys.js'
export { openAccountsDatabase, useAccounts, useExistingAccounts } from './open-database.js'
export { newKey, parseLimits, unknownKey } from './parse-limits.js'
export { parseTime } from './parse-time.js'
export { accountsPlace } from './place.js'
export { readUsage, type UsageRow } from './read-usage.js'
export type {
  Accounts,
  ApiKey,
  KeyLimits,
  KeySpend,
  LimitReason,
  Refusal,
  Reservation,
  Spend,
  Use,
} from './types.js'
