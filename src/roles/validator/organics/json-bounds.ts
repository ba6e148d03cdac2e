const QUOTE = 34
const COMMA = 44
const OPENING_BRACKET = 91
const BACKSLASH = 92
const CLOSING_BRACKET = 93
const OPENING_BRACE = 123
const CLOSING_BRACE = 125

export interface JsonBounds {
  readonly bytes: number
  /** Values of any kind: two bytes each would become up to a hundred. */
  readonly values: number
  readonly depth: number
}

/**
 * Bounds on a JSON text that is still arriving, for a sender that is not trusted: what it would cost to parse is known
 * before it is parsed.
 *
 * @returns takes the pieces in order. @throws Error naming the bound that was passed.
 */
export function boundJson(bounds: JsonBounds): (piece: Uint8Array) => void {
  let bytes = 0
  let values = 1
  let depth = 0
  let isText = false
  let isEscaped = false
  return (piece) => {
    bytes += piece.length
    if (bytes > bounds.bytes) throw new Error(`the answer has more than ${bounds.bytes} bytes`)
    for (const byte of piece) {
      if (isText) {
        if (isEscaped) isEscaped = false
        else if (byte === BACKSLASH) isEscaped = true
        else if (byte === QUOTE) isText = false
      } else if (byte === QUOTE) isText = true
      else if (byte === COMMA) values++
      else if (byte === OPENING_BRACKET || byte === OPENING_BRACE) {
        values++
        if (++depth > bounds.depth) throw new Error(`the answer is nested deeper than ${bounds.depth}`)
      } else if (byte === CLOSING_BRACKET || byte === CLOSING_BRACE) depth--
    }
    if (values > bounds.values) throw new Error(`the answer has more than ${bounds.values} values`)
  }
}
