import { createCipheriv } from 'node:crypto'
import { bls12_381 } from '@noble/curves/bls12-381'
import { sha256 } from '@noble/hashes/sha2'

const { G2 } = bls12_381
const DST = 'BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_'

/** Encrypts a text for a round with fixed randomness. Shares no code with the decryption under test. */
export function encryptTimelock(plain: Uint8Array, round: bigint, publicKey: Uint8Array): Uint8Array {
  const key = Buffer.alloc(32, 2)
  const nonce = Buffer.alloc(12, 4)
  const seed = sha256(Buffer.alloc(32, 3))
  const blinding = scalar(sha256(Buffer.concat([seed, key])))
  const identity = Buffer.alloc(8)
  identity.writeBigUInt64BE(round)
  const point = bls12_381.G1.hashToCurve(sha256(identity), { DST })
  const target = bls12_381.pairing(
    bls12_381.G1.Point.fromAffine(point.toAffine()),
    G2.Point.fromHex(Buffer.from(publicKey).toString('hex')).multiply(blinding),
  )
  const coefficients = [target.c0, target.c1]
    .flatMap((six) => [six.c0, six.c1, six.c2])
    .flatMap((two) => [two.c0, two.c1])
  const shared = sha256(Buffer.concat(coefficients.map(littleEndian)))
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  return Buffer.concat([
    G2.Point.BASE.multiply(blinding).toBytes(true),
    vector(seed.map((byte, index) => byte ^ (shared[index] ?? 0))),
    vector(key.map((byte, index) => byte ^ (sha256(seed)[index] ?? 0))),
    vector(Buffer.concat([vector(sealed), vector(nonce)])),
    vector(Buffer.from('AES_GCM_')),
  ])
}

function scalar(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`) % bls12_381.fields.Fr.ORDER
}

function littleEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(96, '0'), 'hex').reverse()
}

function vector(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(bytes.length))
  return Buffer.concat([length, bytes])
}
