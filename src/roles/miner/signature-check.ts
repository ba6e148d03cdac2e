import { type Claim, checkSignature, type Refusal } from '../../epistula/index.js'

/** Where signatures are checked: here, or on threads of their own so that streams do not wait for them. */
export interface SignatureCheck {
  /** @returns undefined when the signature is good. */
  check(claim: Claim, bodyHash: string): Refusal | undefined | Promise<Refusal | undefined>
  close(): Promise<void>
}

/** On the calling thread. `initSr25519` must have been awaited. */
export const inlineSignatureCheck: SignatureCheck = {
  check: checkSignature,
  close: async () => {},
}
