/**
 * sr25519 with @polkadot/wasm-crypto: its wasm returns `false` for malformed keys and signatures, while the pure
 * JavaScript of newer util-crypto is about seven times slower and throws.
 */

/** ss58 prefix of every Bittensor address. */
export const SS58_PREFIX = 42

interface Packages {
  readonly wasm: typeof import('@polkadot/wasm-crypto')
  readonly ss58: typeof import('@polkadot/util-crypto/address')
}

let packages: Packages | undefined

/** Loads the packages and the wasm once; await it before calling any other function here. */
export async function initSr25519(): Promise<void> {
  if (packages) return
  const [wasm, ss58] = await Promise.all([
    import('@polkadot/wasm-crypto'),
    import('@polkadot/util-crypto/address'),
  ])
  await wasm.waitReady()
  packages = { wasm, ss58 }
}

function loaded(): Packages {
  if (!packages) throw new Error('Await initSr25519() before using sr25519 keys.')
  return packages
}

/** 64-byte secret key (ed25519 form, as polkadot-js stores it) and 32-byte public key. */
export interface Sr25519Pair {
  readonly secretKey: Uint8Array
  readonly publicKey: Uint8Array
}

export function pairFromSeed(seed: Uint8Array): Sr25519Pair {
  const bytes = loaded().wasm.sr25519KeypairFromSeed(seed)
  return { secretKey: bytes.slice(0, 64), publicKey: bytes.slice(64, 96) }
}

/** @returns the 64-byte signature of exactly these bytes (context "substrate"). */
export function sign(pair: Sr25519Pair, message: Uint8Array): Uint8Array {
  return loaded().wasm.sr25519Sign(pair.publicKey, pair.secretKey, message)
}

/** Returns `false` for malformed input; never throws. */
export function verify(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false
  return loaded().wasm.sr25519Verify(signature, message, publicKey)
}

export function addressOf(publicKey: Uint8Array): string {
  return loaded().ss58.encodeAddress(publicKey, SS58_PREFIX)
}

/** Cache of decoded addresses: the checksum takes 40 to 100 µs, and a neuron sees the same few callers all the time. */
const decoded = new Map<string, Uint8Array>()
const DECODED_LIMIT = 4096

/** @returns the 32-byte public key, or undefined unless the text is an ss58 address with prefix 42. */
export function publicKeyOf(address: string): Uint8Array | undefined {
  const known = decoded.get(address)
  if (known) return known
  if (!/^[1-9A-HJ-NP-Za-km-z]{46,50}$/.test(address)) return undefined
  const { ss58 } = loaded()
  try {
    const key = ss58.decodeAddress(address, false, SS58_PREFIX)
    if (key.length !== 32) return undefined
    if (decoded.size >= DECODED_LIMIT) decoded.clear()
    decoded.set(address, key)
    return key
  } catch {
    return undefined
  }
}
