import { ristretto255 } from '@noble/curves/ed25519'
import type { Sr25519Pair } from '../kernel/index.js'

/** Order of the ristretto255 group. */
const ORDER = (1n << 252n) + 27742317777372353535851937790883648493n

/**
 * The pair of a mnemonic, a 32-byte seed (`0x` hex) or a development name (`//Alice`). The keyring derives it; signing
 * stays with the kernel, whose wasm is about seven times faster.
 */
export async function pairFromUri(uri: string): Promise<Sr25519Pair> {
  const [{ Keyring }, { decodePair }] = await Promise.all([
    import('@polkadot/keyring'),
    import('@polkadot/keyring/pair/decode'),
  ])
  const encoded = new Keyring({ type: 'sr25519' }).createFromUri(uri).encodePkcs8()
  const { secretKey, publicKey } = decodePair(undefined, encoded, 'none')
  return { secretKey, publicKey }
}

/**
 * Key files store a private key as schnorrkel does: canonical scalar (32 bytes, little endian), then nonce (32 bytes).
 * @polkadot/wasm-crypto expects the ed25519 form, in which the scalar is multiplied by the cofactor 8.
 *
 * @returns undefined unless the first half is a canonical, non-zero scalar.
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
