import { ed25519Verify } from '@polkadot/util-crypto/ed25519'
import { secp256k1Verify } from '@polkadot/util-crypto/secp256k1'
import { verify as sr25519Verify } from '../../../kernel/index.js'
import { implicitType, type SignedImplicit } from '../runtime/index.js'
import { concatBytes, encode } from '../scale/index.js'
import { blake2b256 } from '../storage/index.js'
import type { SignedExtrinsic } from './extrinsic.js'

/** Longer payloads are hashed before they are signed. */
const MAX_PLAIN_PAYLOAD = 256

/** Whether the account signed exactly this call with these extension values on this chain. */
export function hasValidSignature(
  extrinsic: SignedExtrinsic,
  account: Uint8Array,
  implicit: SignedImplicit,
): boolean {
  const implicitBytes = encode(implicitType, { ...implicit, metadataHash: undefined })
  const payload = concatBytes(extrinsic.callBytes, extrinsic.extraBytes, implicitBytes)
  const message = payload.length > MAX_PLAIN_PAYLOAD ? blake2b256(payload) : payload
  const { type, value } = extrinsic.signature
  if (type === 'Sr25519') return sr25519Verify(message, value, account)
  try {
    return type === 'Ed25519'
      ? ed25519Verify(message, value, account)
      : secp256k1Verify(message, value, account, 'blake2')
  } catch {
    return false
  }
}
