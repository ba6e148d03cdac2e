import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { messageOf, TargonError } from '../../../kernel/index.js'

/** How kept rows are written to disk. */
export interface Sealing {
  /**
   * The content of a file, portion by portion, made as it is written.
   *
   * @param name of the file; the bytes can be opened only under the same name.
   */
  seal(portions: Iterable<Buffer>, name: string): Iterable<Buffer>
  /** @returns undefined for bytes that were sealed otherwise or are damaged. */
  open(bytes: Buffer, name: string): Buffer | undefined
}

const ALGORITHM = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** First byte of sealed rows. No JSON text begins with it. */
const VERSION = 1

/** Plain text, which is protected by the mode of the files only. */
export const unsealed: Sealing = {
  seal: (portions) => portions,
  open: (bytes) => (bytes[0] === VERSION ? undefined : bytes),
}

/** AES-256-GCM with a random nonce per row: version, nonce, ciphertext, tag. @param key 32 bytes */
export function createSealing(key: Uint8Array): Sealing {
  return {
    seal: function* (portions, name) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(name))
      yield Buffer.concat([Buffer.from([VERSION]), nonce])
      for (const portion of portions) yield cipher.update(portion)
      yield Buffer.concat([cipher.final(), cipher.getAuthTag()])
    },
    open: (bytes, name) => {
      const [content, tag] = [1 + NONCE_BYTES, bytes.length - TAG_BYTES]
      if (bytes[0] !== VERSION || tag < content) return undefined
      try {
        const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(1, content))
          .setAAD(Buffer.from(name))
          .setAuthTag(bytes.subarray(tag))
        return Buffer.concat([decipher.update(bytes.subarray(content, tag)), decipher.final()])
      } catch {
        return undefined
      }
    },
  }
}

/**
 * The key in a file, in hexadecimal or base64.
 *
 * @throws TargonError RETAIN_KEY_UNREADABLE (usage): it cannot be read, others may read it, or it has no 32 bytes.
 */
export async function readSealingKey(path: string): Promise<Uint8Array> {
  const refuse = (why: string, cause?: unknown) =>
    new TargonError(
      `Cannot use the key in ${path}: ${why}.`,
      {
        code: 'RETAIN_KEY_UNREADABLE',
        fault: 'usage',
        next: `Write a new key with \`openssl rand -hex 32 > ${path}\`, and run \`chmod 600 ${path}\`.`,
      },
      { cause },
    )
  let text: string
  let mode: number
  try {
    const status = await stat(path)
    mode = status.mode
    if (status.size > 1024) throw new Error('it is longer than a key')
    text = (await readFile(path, 'utf8')).trim()
  } catch (error) {
    throw refuse(messageOf(error), error)
  }
  if ((mode & 0o077) !== 0) throw refuse('other users of this machine may read it')
  const key = decodeKey(text)
  if (key?.length !== KEY_BYTES) throw refuse('it does not contain 32 bytes in hexadecimal or base64')
  return key
}

function decodeKey(text: string): Buffer | undefined {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex')
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined
}
