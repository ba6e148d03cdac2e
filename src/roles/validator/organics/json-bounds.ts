const QUOTE = 34
const COMMA = 44
const OPENING_BRACKET = 91
const BACKSLASH = 92
const CLOSING_BRACKET = 93
const OPENING_BRACE = 123
const CLOSING_BRACE = 125

export interface JsonBounds {
  readonly bytes: number
  /** Values of any kind: two bytes of JSON become up to a hundred in memory. */
  readonly values: number
  readonly depth: number
  /** Members of the outer lists and objects, the outermost first: an object of many keys costs most of all. */
  readonly members: readonly number[]
}

/**
 * Checks bounds on a JSON text from an untrusted sender while it arrives, so that its cost is known before it is parsed.
 *
 * @returns takes the chunks in order and throws an Error that names the bound exceeded.
 */
export function boundJson(bounds: JsonBounds): (chunk: Uint8Array) => void {
  let bytes = 0
  let values = 1
  let depth = 0
  const members = bounds.members.map(() => 1)
  let isText = false
  let isEscaped = false
  const countMember = (level: number) => {
    const count = (members[level - 1] ?? 0) + 1
    members[level - 1] = count
    const most = bounds.members[level - 1] ?? Number.POSITIVE_INFINITY
    if (count > most) throw new Error(`the answer has more than ${most} members at level ${level}`)
  }
  return (chunk) => {
    bytes += chunk.length
    if (bytes > bounds.bytes) throw new Error(`the answer has more than ${bounds.bytes} bytes`)
    for (const byte of chunk) {
      if (isText) {
        if (isEscaped) isEscaped = false
        else if (byte === BACKSLASH) isEscaped = true
        else if (byte === QUOTE) isText = false
      } else if (byte === QUOTE) isText = true
      else if (byte === COMMA) {
        values++
        if (depth > 0 && depth <= members.length) countMember(depth)
      } else if (byte === OPENING_BRACKET || byte === OPENING_BRACE) {
        values++
        if (++depth > bounds.depth) throw new Error(`the answer is nested deeper than ${bounds.depth}`)
      } else if (byte === CLOSING_BRACKET || byte === CLOSING_BRACE) depth--
    }
    if (values > bounds.values) throw new Error(`the answer has more than ${bounds.values} values`)
  }
}
