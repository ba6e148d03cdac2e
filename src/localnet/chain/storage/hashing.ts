import { blake2AsU8a } from '@polkadot/util-crypto/blake2'
import { xxhashAsU8a } from '@polkadot/util-crypto/xxhash'
import { concatBytes, utf8 } from '../scale/index.js'

export type Hasher = 'Identity' | 'Blake2_128Concat' | 'Twox64Concat'

/** Key part of a storage map as the chain's hashers make it. */
export const HASHERS: Readonly<Record<Hasher, (key: Uint8Array) => Uint8Array>> = {
  Identity: (key) => key,
  Blake2_128Concat: (key) => concatBytes(blake2AsU8a(key, 128), key),
  Twox64Concat: (key) => concatBytes(xxhashAsU8a(key, 64), key),
}

export function blake2b256(bytes: Uint8Array): Uint8Array {
  return blake2AsU8a(bytes, 256)
}

/** Identifier of a runtime API in the runtime version. */
export function apiId(name: string): Uint8Array {
  return blake2AsU8a(utf8(name), 64)
}

export function storagePrefix(pallet: string, item: string): Uint8Array {
  return concatBytes(xxhashAsU8a(utf8(pallet), 128), xxhashAsU8a(utf8(item), 128))
}
