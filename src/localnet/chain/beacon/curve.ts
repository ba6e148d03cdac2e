import { bls12_381 } from '@noble/curves/bls12-381'
import { sha256 } from '@noble/hashes/sha2'
import { concatBytes } from '../scale/index.js'

// The parts of BLS12-381 that drand's quicknet scheme uses: signatures in G1, keys in G2.
export const G1 = bls12_381.G1.Point
export const G2 = bls12_381.G2.Point
export const GROUP_ORDER = bls12_381.fields.Fr.ORDER

const SIGNATURE_DST = 'BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_'
const FIELD_BYTES = 48

type G1Point = ReturnType<typeof G1.fromHex>
type G2Point = ReturnType<typeof G2.fromHex>
export type Pairing = ReturnType<typeof bls12_381.pairing>

/** The point of G1 that the beacon signs for a round. */
export function roundPoint(round: bigint): G1Point {
  const number = Buffer.alloc(8)
  number.writeBigUInt64BE(round)
  const point = bls12_381.G1.hashToCurve(sha256(number), { DST: SIGNATURE_DST })
  return G1.fromAffine(point.toAffine())
}

export function pairing(signature: G1Point, key: G2Point): Pairing {
  return bls12_381.pairing(signature, key)
}

export function equalPairings(a: Pairing, b: Pairing): boolean {
  return bls12_381.fields.Fp12.eql(a, b)
}

/** A pairing in arkworks' serialization: coefficients in tower order, 48 bytes each, little-endian. */
export function pairingBytes(element: Pairing): Uint8Array {
  const coefficients = [element.c0, element.c1].flatMap((six) =>
    [six.c0, six.c1, six.c2].flatMap((two) => [two.c0, two.c1]),
  )
  return concatBytes(...coefficients.map(littleEndian))
}

/** The scalar of big-endian bytes. */
export function scalarOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`) % GROUP_ORDER
}

function littleEndian(value: bigint): Uint8Array {
  const hex = value.toString(16).padStart(FIELD_BYTES * 2, '0')
  return new Uint8Array(Buffer.from(hex, 'hex').reverse())
}
