import { addressOf, initSr25519, pairFromSeed, sign } from '../../src/kernel/sr25519.js'
import type { Signer } from '../../src/wallet/index.js'

/** A hotkey from a 32-byte seed, or from one byte repeated: the same address in every run. */
export async function hotkeyOf(seed: number | Uint8Array): Promise<Signer> {
  await initSr25519()
  const pair = pairFromSeed(typeof seed === 'number' ? new Uint8Array(32).fill(seed) : seed)
  return {
    address: addressOf(pair.publicKey),
    publicKey: pair.publicKey,
    sign: (message) => sign(pair, message),
  }
}
