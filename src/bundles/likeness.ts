/** Logarithms of other builds of the same arithmetic differ by less. */
const TOLERANCE = 1e-3

/** Equal, but for the last digits of numbers; undefined members count as absent. */
export function areClose(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number')
    return Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a) * 1e-3)
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  const [left, right] = [new Map(entriesOf(a)), new Map(entriesOf(b))]
  return (
    left.size === right.size &&
    [...left].every(([key, value]) => right.has(key) && areClose(value, right.get(key)))
  )
}

function entriesOf(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, one]) => one !== undefined)
}
