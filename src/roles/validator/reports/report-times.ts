import type { ModelReport } from '../../../history/index.js'
import type { ExplainedReport } from './explained.js'

type Hour = ModelReport['trend'][number]

const HOUR_MS = 3_600_000

/** A time of a report as people read it: `2026-01-31 14:05 UTC`. Text that is no time is kept. */
export function inUtc(at: string): string {
  const ms = Date.parse(at)
  return Number.isNaN(ms) ? at : `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/**
 * The trend with every hour from the first to the last, undefined where there are no results, so that nothing that is drawn
 * from it skips over missing hours.
 *
 * @param most only the last hours, at most this many.
 */
export function fillHours(
  trend: readonly Hour[],
  most: number,
): { readonly at: string; readonly hour: Hour | undefined }[] {
  const byHour = new Map(trend.map((hour) => [Math.floor(Date.parse(hour.at) / HOUR_MS), hour]))
  const known = [...byHour.keys()].filter((hour) => !Number.isNaN(hour)).sort((a, b) => a - b)
  const [first, last] = [known[0], known.at(-1)]
  if (first === undefined || last === undefined) return []
  const from = Math.max(first, last - most + 1)
  return Array.from({ length: last - from + 1 }, (_, index) => ({
    at: new Date((from + index) * HOUR_MS).toISOString(),
    hour: byHour.get(from + index),
  }))
}

/** What the counts of a report cover, and where they come from, in one sentence. */
export function describePeriod({ source, since, counted, validator }: ExplainedReport): string {
  if (counted === 'start') {
    const started = validator?.startedAt === undefined ? '' : ` at ${inUtc(validator.startedAt)}`
    return `Counts since the validator started${started}; it keeps no history (--no-history).`
  }
  const from = {
    validator: 'the running validator',
    embedded: 'the embedded database',
    postgres: 'PostgreSQL',
  }
  return `Results since ${inUtc(since)}, from ${from[source]}.`
}
