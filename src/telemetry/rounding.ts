/** Decimals of a number that is not whole, by the end of its field's name (`tokensPerSecond`, `ageSeconds`). */
const DECIMALS: readonly (readonly [name: RegExp, decimals: number])[] = [
  [/(^ms|Ms)$/, 0],
  [/seconds?$/i, 1],
  [/percent$/i, 0],
]

/** Of every other number: ratios, amounts, limits. */
const OTHER = 3

/**
 * Rounds the numbers of a log record to what they mean: milliseconds and percentages to whole ones, seconds and tokens per second
 * to one decimal, others to three, and those below 1 to three significant digits. Whole numbers and texts stay as they are.
 */
export function roundNumbers(value: unknown, name = ''): unknown {
  if (typeof value === 'number') return rounded(name, value)
  if (Array.isArray(value)) return value.map((item) => roundNumbers(item, name))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([field, item]) => [field, roundNumbers(item, field)]))
}

function rounded(name: string, value: number): number {
  if (Number.isInteger(value)) return value
  const decimals = DECIMALS.find(([pattern]) => pattern.test(name))?.[1]
  if (decimals !== undefined) return Number(value.toFixed(decimals))
  return Number(Math.abs(value) < 1 ? value.toPrecision(OTHER) : value.toFixed(OTHER))
}
