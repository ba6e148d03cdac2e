/** How much structure a JSON text may have. */
export interface JsonBounds {
  /** Arrays and objects within each other: `1` has depth 0, `[]` has 1, `[{}]` has 2. */
  readonly depth: number
  /** Values altogether; an empty array or object counts as two. */
  readonly values: number
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * Whether a JSON text nests arrays and objects deeper than `limit`. Ask before `JSON.parse`, which takes up to a hundred times
 * as long for nested text as for flat text, and cannot be stopped: this is one pass that allocates nothing and returns at the
 * first bracket too many. Text that is not JSON is judged up to where `JSON.parse` would reject it at least.
 *
 * @param json UTF-8 bytes, or text.
 */
export function exceedsJsonDepth(json: Uint8Array | string, limit: number): boolean {
  return exceedsJsonBounds(json, { depth: limit, values: Number.POSITIVE_INFINITY })
}

/** The same for depth and number of values: a small value costs `JSON.parse` up to twenty times its bytes of memory. */
export function exceedsJsonBounds(json: Uint8Array | string, bounds: JsonBounds): boolean {
  let depth = 0
  let values = 1
  for (let at = 0; at < json.length; at++) {
    switch (codeAt(json, at)) {
      case QUOTE:
        at = endOfString(json, at)
        break
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        if (++depth > bounds.depth || ++values > bounds.values) return true
        break
      case COMMA:
        if (++values > bounds.values) return true
        break
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--
    }
  }
  return false
}

/** Position of the quote that ends the string that begins at `from`. */
function endOfString(json: Uint8Array | string, from: number): number {
  let at = from + 1
  for (; at < json.length; at++) {
    const code = codeAt(json, at)
    if (code === QUOTE) return at
    if (code === BACKSLASH) at++
  }
  return at
}

function codeAt(json: Uint8Array | string, at: number): number | undefined {
  return typeof json === 'string' ? json.charCodeAt(at) : json[at]
}
