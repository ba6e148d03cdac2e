import { TargonError } from '../kernel/index.js'

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
/** A day, or a moment with its offset from UTC. */
const DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2}))?$/

/**
 * A moment as it is typed: `30d`, `12h` or `15m` from now, a date (its beginning in UTC), or a time such as 2026-12-31T18:00Z.
 *
 * @param direction 1 for a span that lies ahead, -1 for one that lies behind
 * @returns milliseconds since 1970
 * @throws TargonError KEY_FLAG
 */
export function parseTime(flag: string, text: string, nowMs: number, direction: 1 | -1): number {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? []
  if (count !== undefined && (unit === 'm' || unit === 'h' || unit === 'd'))
    return nowMs + direction * Number(count) * UNITS[unit]
  const time = DATE.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return time
  throw badFlag(
    flag,
    text,
    'a span such as 30d, 12h or 15m, or a date such as 2026-12-31 or 2026-12-31T18:00Z',
  )
}

export function badFlag(flag: string, text: string, must: string): TargonError {
  return new TargonError(`--${flag} must be ${must}, got ${JSON.stringify(text)}.`, {
    code: 'KEY_FLAG',
    fault: 'usage',
    next: 'Correct the value.',
  })
}
