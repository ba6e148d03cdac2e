import { maskPasswords } from '../kernel/index.js'

const MASK = '[redacted]'

/** Shorter values would mask too much of the log. */
const SHORTEST_SECRET = 4

/** Fields that always contain a credential, at any depth and in any spelling. */
const SECRET_FIELD =
  /"((?:proxy-)?authorization|(?:x-)?api[-_]?key|(?:set-)?cookie|password|passphrase|mnemonic|secret(?:key|seed|phrase)?|private[-_]?key)":"(?:[^"\\]|\\.)*"/gi

/** The secrets of the hub's API keys, which no process knows in advance: a user may send one where it does not belong. */
const HUB_KEY = /\bsk-targon-[\w-]{20,}/g

/** The encodings of a value in a record: plain, in JSON, in a URL, in a Basic header. */
function encodings(secret: string): string[] {
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
 * Masks known secrets anywhere in text; masking by key would miss nested objects and error messages. A `Set` may grow later
 * (a reloaded configuration has new keys).
 */
export function createRedactor(secrets: Iterable<string>): (text: string) => string {
  let knownSize = -1
  let pattern: RegExp | undefined
  const refresh = () => {
    const values = [...secrets].filter((secret) => secret.length >= SHORTEST_SECRET)
    const words = [...new Set(values.flatMap(encodings))].sort((a, b) => b.length - a.length)
    pattern = words.length === 0 ? undefined : new RegExp(words.map(escapePattern).join('|'), 'g')
  }
  return (text) => {
    const size = secrets instanceof Set ? secrets.size : 0
    if (size !== knownSize) {
      knownSize = size
      refresh()
    }
    const masked = maskPasswords(text).replace(SECRET_FIELD, `"$1":"${MASK}"`).replace(HUB_KEY, MASK)
    return pattern === undefined ? masked : masked.replace(pattern, MASK)
  }
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}
