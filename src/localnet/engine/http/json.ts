const MARK = '\u0001number:'
const MARKED = /"\\u0001number:(NaN|-?Infinity)"/g

/** JSON as Python's json.dumps writes it: a number that is none appears as NaN or ±Infinity instead of null. */
export function encodeStrangeJson(value: unknown): string {
  let isMarked = false
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'number' || Number.isFinite(part)) return part
    isMarked = true
    return `${MARK}${part}`
  })
  return isMarked ? text.replaceAll(MARKED, '$1') : text
}
