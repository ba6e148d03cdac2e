import { createCipheriv, randomBytes } from 'node:crypto'
import { bls12_381 as bls } from '@noble/curves/bls12-381'
import { sha256 } from '@noble/hashes/sha2'

/**
 * Time-lock encryption as Subtensor decrypts it (ideal-lab5/timelock rev 5416406, TinyBLS381): identity-based encryption,
 * decrypted with the signature a drand beacon publishes for the round, over AES-256-GCM.
 *
 *     id    = sha256(round as u64 BE)          Q = hash_to_G1(id)
 *     sigma = sha256(t as 32 B LE)             r = sha256(sigma ‖ key) as BE integer mod order
 *     U     = r·G2                             V = sigma ⊕ sha256(gt(e(Q, r·P)))
 *     W     = key ⊕ sha256(sigma)              body = AES-256-GCM(key, nonce, no AAD)
 *
 *     U(96) ‖ 32,V ‖ 32,W ‖ n,[ n,body ‖ 12,nonce ] ‖ 8,"AES_GCM_"      lengths u64 LE
 */

const DST = 'BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_'
const SUITE = Buffer.from('AES_GCM_')
const ORDER = bls.fields.Fr.ORDER

/** The random part of a ciphertext; only tests fix it. */
export interface TimelockRandomness {
  /** AES key, 32 bytes. */
  readonly key: Uint8Array
  /** Seed of sigma, 32 bytes. */
  readonly seed: Uint8Array
  /** 12 bytes. */
  readonly nonce: Uint8Array
}

/** @param publicKey public key of the beacon, compressed G2, 96 bytes. */
export function encryptForRound(
  message: Uint8Array,
  round: number,
  publicKey: Uint8Array,
  randomness: TimelockRandomness = { key: randomBytes(32), seed: randomBytes(32), nonce: randomBytes(12) },
): Uint8Array {
  const { key, seed, nonce } = randomness
  const beacon = bls.G2.Point.fromHex(publicKey)
  beacon.assertValidity()
  const sigma = sha256(littleEndian(bigEndian(seed) % ORDER, 32))
  const r = bigEndian(sha256(Buffer.concat([sigma, key]))) % ORDER
  const shared = bls.pairing(hashRound(round), beacon.multiply(r))
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const body = Buffer.concat([cipher.update(message), cipher.final(), cipher.getAuthTag()])
  return Buffer.concat([
    bls.G2.Point.BASE.multiply(r).toBytes(true),
    withLength(xor(sigma, sha256(targetGroupBytes(shared)))),
    withLength(xor(key, sha256(sigma))),
    withLength(Buffer.concat([withLength(body), withLength(nonce)])),
    withLength(SUITE),
  ])
}

function hashRound(round: number) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(round))
  // The hash is a point of the group, but its type is the general one of all curve hashes.
  return bls.G1.Point.fromAffine(bls.G1.hashToCurve(sha256(bytes), { DST }).toAffine())
}

/** In arkworks' order: both halves, three pairs each, every coordinate 48 bytes little-endian. */
function targetGroupBytes(value: ReturnType<typeof bls.pairing>): Uint8Array {
  const pairs = [value.c0, value.c1].flatMap((half) => [half.c0, half.c1, half.c2])
  return Buffer.concat(pairs.flatMap(({ c0, c1 }) => [littleEndian(c0, 48), littleEndian(c1, 48)]))
}

function withLength(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([littleEndian(BigInt(bytes.length), 8), bytes])
}

function littleEndian(value: bigint, length: number): Uint8Array {
  return Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex').reverse()
}

function bigEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, index) => byte ^ (b[index] ?? 0))
}
