import type { Behaviour } from '../behaviour/index.js'

const MARK = '\u0001number:'
const MARKED = /"\\u0001number:(NaN|-?Infinity)"/g

export function encodeJson(value: unknown, { sendsNonFiniteNumbers }: Behaviour): string {
  return sendsNonFiniteNumbers ? encodeAsPython(value) : JSON.stringify(value)
}

/** JSON as Python's json.dumps writes it: non-finite numbers become NaN or ±Infinity instead of null. */
function encodeAsPython(value: unknown): string {
  let isMarked = false
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'number' || Number.isFinite(part)) return part
    isMarked = true
    return `${MARK}${part}`
  })
  return isMarked ? text.replaceAll(MARKED, '$1') : text
}
