import { createDecipheriv } from 'node:crypto'
import { sha256 } from '@noble/hashes/sha2'
import { concatBytes } from '../scale/index.js'
import { G1, G2, pairing, pairingBytes, scalarOf } from './curve.js'

const POINT_BYTES = 96
const TAG_BYTES = 16
const KEY_BYTES = 32

/**
 * Decrypts a time-lock ciphertext (ideal-lab5/timelock rev 5416406: TinyBLS381 and AES-256-GCM), the format of
 * commit-reveal v3 and v4.
 *
 * @param signature the beacon's 48-byte signature of the round to which the text is locked
 * @throws Error for a ciphertext that is malformed or locked to another round or beacon
 */
export function decryptTimelock(ciphertext: Uint8Array, signature: Uint8Array): Uint8Array {
  const cursor = new Cursor(ciphertext)
  const point = G2.fromHex(Buffer.from(cursor.take(POINT_BYTES)).toString('hex'))
  const maskedSeed = cursor.takeVector()
  const maskedKey = cursor.takeVector()
  const body = new Cursor(cursor.takeVector())

  const shared = sha256(pairingBytes(pairing(G1.fromHex(Buffer.from(signature).toString('hex')), point)))
  const seed = xor(maskedSeed, shared)
  const key = xor(maskedKey, sha256(seed))
  const blinding = scalarOf(sha256(concatBytes(seed, key)))
  if (blinding === 0n || !G2.BASE.multiply(blinding).equals(point)) {
    throw new Error('ciphertext is locked to another round or beacon')
  }
  const sealed = body.takeVector()
  return decryptBody(key, body.takeVector(), sealed)
}

function decryptBody(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (sealed.length < TAG_BYTES) throw new Error('ciphertext is too short')
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  const plain = [decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]
  return new Uint8Array(Buffer.concat(plain))
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length !== KEY_BYTES || b.length !== KEY_BYTES) throw new Error('masked key has the wrong length')
  return a.map((byte, index) => byte ^ (b[index] ?? 0))
}

/** Reads arkworks' serialization: fixed-size fields, and vectors with a 64-bit little-endian length. */
class Cursor {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes)
  }

  take(count: number): Uint8Array {
    if (this.#offset + count > this.#bytes.length) throw new Error('ciphertext is too short')
    const slice = this.#bytes.subarray(this.#offset, this.#offset + count)
    this.#offset += count
    return new Uint8Array(slice)
  }

  takeVector(): Uint8Array {
    const length = Buffer.from(this.take(8)).readBigUInt64LE()
    if (length > BigInt(this.#bytes.length)) throw new Error('ciphertext is too short')
    return this.take(Number(length))
  }
}
