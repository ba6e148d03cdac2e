import { createHash, randomBytes } from 'node:crypto'

const PREFIX = 'sk-targon-'
const SECRET_BYTES = 32
const ID_BYTES = 9

/** A new secret for a key: `sk-targon-` and 32 random bytes in base64url. */
export function createSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64url')
}

/** Whether a text can be a secret at all. */
export function isSecret(text: string): boolean {
  return /^sk-targon-[\w-]{43}$/.test(text)
}

/** A new id for a key, unrelated to its secret. */
export function createKeyId(): string {
  return `key_${randomBytes(ID_BYTES).toString('hex')}`
}

/**
 * The form in which a secret is stored: its SHA-256 in hexadecimal. A secret has 256 random bits, so it cannot be guessed from
 * the hash, and the slow hash and the salt that passwords need would add nothing.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
