/**
 * Characters that must not reach a terminal or a log reader from foreign text: C0 and C1 controls, DEL, the line and
 * paragraph separators, and the bidirectional overrides and isolates.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: matching control characters is the purpose
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

const escapeCharacter = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Replaces control and bidirectional characters by their `\uXXXX` form; everything else stays. */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, escapeCharacter)
}

/** One JSON record: such characters can only stand inside strings there, where `\uXXXX` means the same. */
export function escapeRecord(json: string): string {
  const body = json.endsWith('\n') ? json.slice(0, -1) : json
  return `${escapeControls(body)}\n`
}

/**
 * A record whose strings stay escaped after JSON.parse, so that a pretty printer prints `\n` as two characters
 * and one record stays one line.
 */
export function escapeTwice(json: string): string {
  return escapeRecord(json).replace(/\\(\\|"|\/|u[0-9a-fA-F]{4}|[bfnrt])/g, (sequence, kind: string) =>
    kind === '\\' || kind === '"' || kind === '/' ? sequence : `\\${sequence}`,
  )
}
