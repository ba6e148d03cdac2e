import { z } from 'zod'
import type { DurationUnit } from './setting.js'

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const WORDS: Readonly<Record<DurationUnit, string>> = { ms: 'milliseconds', s: 'seconds', d: 'days' }

interface DurationOptions {
  /** Unit of a bare number and of the parsed value. */
  readonly unit: DurationUnit
  readonly min: number
  readonly max: number
  readonly default: number
}

/** The type part of a setting that is a duration: whole units, typed as `8s`, `500ms`, `2m`, `1h`, `1d` or a bare number. */
export function duration({ unit, min, max, default: byDefault }: DurationOptions) {
  const example = byDefault > 0 ? byDefault : MILLISECONDS.s / MILLISECONDS[unit]
  const [low, high, short] = [min, max, example].map((value) => shortest(value, unit))
  const must = `must be a duration in whole ${WORDS[unit]} from ${low} to ${high}, such as ${example} or ${short}`
  const schema = z.unknown().transform((raw, context): number => {
    const value = parse(raw, unit)
    if (value !== undefined && Number.isInteger(value) && value >= min && value <= max) return value
    context.addIssue(must)
    return z.NEVER
  })
  return { kind: 'duration', unit, range: { min, max }, schema, default: byDefault } as const
}

function parse(raw: unknown, unit: DurationUnit): number | undefined {
  if (typeof raw === 'number') return raw
  const [, number, suffix] = (typeof raw === 'string' && /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d)?$/.exec(raw)) || []
  if (number === undefined) return undefined
  if (!isUnit(suffix)) return Number(number)
  // Rounded to a nanosecond: in binary fractions 1.001 * 1000 is 1000.9999999999999.
  const ms = Math.round(Number(number) * MILLISECONDS[suffix] * 1e6) / 1e6
  return ms / MILLISECONDS[unit]
}

function isUnit(suffix: string | undefined): suffix is keyof typeof MILLISECONDS {
  return suffix !== undefined && Object.hasOwn(MILLISECONDS, suffix)
}

/** In the largest unit that expresses it in whole numbers: 8000 ms is `8s`. */
function shortest(value: number, unit: DurationUnit): string {
  const ms = value * MILLISECONDS[unit]
  const [suffix = unit] = (['d', 'h', 'm', 's'] as const).filter(
    (larger) => MILLISECONDS[larger] >= MILLISECONDS[unit] && ms > 0 && ms % MILLISECONDS[larger] === 0,
  )
  return `${ms / MILLISECONDS[suffix]}${suffix}`
}
