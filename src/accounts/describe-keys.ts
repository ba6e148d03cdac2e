import type { ListedKey } from './manage-keys.js'

const HEAD = [
  ...['id', 'name', 'state', 'requests/min', 'tokens/day', 'running', 'spent', 'models', 'expires'],
  ...['kept', 'created'],
]

/** The columns of `keyTable` that are numbers. */
export const RIGHT_ALIGNED = [3, 4, 5, 6]

/** One row per key under a head; what is limited shows as `used/limit`. Times are in UTC. */
export function keyTable(keys: readonly ListedKey[], nowMs: number): string[][] {
  return [HEAD, ...keys.map((key) => keyRow(key, nowMs))]
}

function keyRow(key: ListedKey, nowMs: number): string[] {
  const { limits } = key
  return [
    ...[key.id, key.name, stateOf(key, nowMs)],
    ...[limited(undefined, limits.requestsPerMinute), limited(undefined, limits.tokensPerDay)],
    ...[limited(key.running, limits.concurrent), limited(key.spentTokens, limits.budgetTokens)],
    limits.models?.join(',') ?? 'all',
    limits.expiresAtMs === undefined ? 'never' : minuteOf(limits.expiresAtMs),
    key.isRetained ? 'yes' : 'no',
    minuteOf(key.createdAtMs),
  ]
}

function stateOf({ revokedAtMs, limits }: ListedKey, nowMs: number): string {
  if (revokedAtMs !== undefined) return 'revoked'
  return nowMs >= (limits.expiresAtMs ?? Infinity) ? 'expired' : 'active'
}

function limited(used: number | undefined, limit: number | undefined): string {
  return [used, limit].filter((value) => value !== undefined).join('/') || '-'
}

function minuteOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ')
}

/** The document that `--json` prints of a key. */
export function keyDocument(key: ListedKey) {
  const { limits, createdAtMs, revokedAtMs, ...rest } = key
  const { expiresAtMs, ...others } = limits
  return {
    ...rest,
    limits: { ...others, ...(expiresAtMs !== undefined && { expiresAt: timeOf(expiresAtMs) }) },
    createdAt: timeOf(createdAtMs),
    ...(revokedAtMs !== undefined && { revokedAt: timeOf(revokedAtMs) }),
  }
}

function timeOf(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
