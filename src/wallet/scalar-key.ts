import { ristretto255 } from '@noble/curves/ed25519'
import type { Sr25519Pair } from '../kernel/index.js'

/** Order of the ristretto255 group. */
const ORDER = (1n << 252n) + 27742317777372353535851937790883648493n

/**
 * Key files state a private key as schnorrkel does: canonical scalar (32 bytes, little endian) and nonce (32 bytes).
 * @polkadot/wasm-crypto wants the ed25519 form, whose scalar is multiplied by the cofactor 8.
 *
 * @returns undefined when the bytes are no canonical, non-zero scalar.
 */
export function pairFromScalarKey(privateKey: Uint8Array): Sr25519Pair | undefined {
  const scalar = readLittleEndian(privateKey.subarray(0, 32))
  if (scalar === 0n || scalar >= ORDER) return undefined
  const secretKey = new Uint8Array(64)
  secretKey.set(writeLittleEndian(scalar * 8n, 32))
  secretKey.set(privateKey.subarray(32, 64), 32)
  return { secretKey, publicKey: ristretto255.Point.BASE.multiply(scalar).toBytes() }
}

function readLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

function writeLittleEndian(value: bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => Number((value >> BigInt(8 * index)) & 255n))
}
