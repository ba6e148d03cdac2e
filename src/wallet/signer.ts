/** A hotkey that can sign. The secret never leaves the object that implements this. */
export interface Signer {
  /** ss58 address, prefix 42. */
  readonly address: string
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** @returns the 64-byte sr25519 signature of exactly these bytes. */
  sign(message: Uint8Array): Uint8Array
}
