const MASK = '[redacted]'

/** Shorter values would mask half the log; nobody should use them as a key anyway. */
const SHORTEST_SECRET = 4

/** Fields that hold a credential whatever its value, at any depth and in any spelling. */
const SECRET_FIELD =
  /"((?:proxy-)?authorization|(?:x-)?api[-_]?key|(?:set-)?cookie|password|passphrase|mnemonic|secret(?:key|seed|phrase)?|private[-_]?key)":"(?:[^"\\]|\\.)*"/gi

/** Every way a value may stand in a record: as it is, inside JSON, inside a URL, inside a Basic header. */
function spellings(secret: string): string[] {
  const quoted = JSON.stringify(secret).slice(1, -1)
  return [
    secret,
    quoted,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    Buffer.from(secret).toString('base64url'),
  ]
}

/**
 * Removes known secret values from text, wherever they stand; key paths alone miss nested objects and error messages.
 * A `Set` may grow while the logger lives (a reloaded configuration brings new keys).
 */
export function createRedactor(secrets: Iterable<string>): (text: string) => string {
  let known = -1
  let pattern: RegExp | undefined
  const refresh = () => {
    const values = [...secrets].filter((secret) => secret.length >= SHORTEST_SECRET)
    const words = [...new Set(values.flatMap(spellings))].sort((a, b) => b.length - a.length)
    pattern = words.length === 0 ? undefined : new RegExp(words.map(escapePattern).join('|'), 'g')
  }
  return (text) => {
    const size = secrets instanceof Set ? secrets.size : 0
    if (size !== known) {
      known = size
      refresh()
    }
    const masked = text.replace(SECRET_FIELD, `"$1":"${MASK}"`)
    return pattern === undefined ? masked : masked.replace(pattern, MASK)
  }
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}
