import { addressOf } from '../kernel/index.js'

/** Several subnets of 1,024 neurons; beyond that the oldest keys are forgotten. */
const MAX_ADDRESSES = 16_384

/** ss58 text of public keys, computed once per key: the same keys come back with every sync. */
export type AddressBook = (publicKey: Uint8Array) => string

export function createAddressBook(): AddressBook {
  const known = new Map<string, string>()
  return (publicKey) => {
    const key = Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.length).toString('latin1')
    const found = known.get(key)
    if (found !== undefined) return found
    const address = addressOf(publicKey)
    if (known.size >= MAX_ADDRESSES) known.delete(known.keys().next().value ?? '')
    known.set(key, address)
    return address
  }
}
