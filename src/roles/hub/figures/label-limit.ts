/** What all values beyond the limit are counted as. */
export const OTHER = 'other'

/**
 * Keeps the values of a metric's label few: the first ones keep their names for the life of the process, because a counter must
 * not fall, and all that come later are `other`.
 */
export function createLabelLimit(most: number): (value: string) => string {
  const known = new Set<string>()
  return (value) => {
    if (known.has(value)) return value
    if (known.size >= most) return OTHER
    known.add(value)
    return value
  }
}
