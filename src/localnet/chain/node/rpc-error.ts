/** A JSON-RPC error with the code and texts of a Substrate node (sc-rpc-api). */
export class RpcError extends Error {
  override readonly name = 'RpcError'

  constructor(
    readonly code: number,
    message: string,
    readonly data?: string,
  ) {
    super(message)
  }
}

export const badFormat = (why: string) => new RpcError(1001, `Extrinsic has invalid format: ${why}`)
export const undecodable = (why: string) =>
  new RpcError(
    1002,
    `Verification Error: Runtime error: Execution failed: Could not decode extrinsic: ${why}`,
    why,
  )
export const unknownValidity = (why: string) => new RpcError(1011, 'Unknown Transaction Validity', why)
export const temporarilyBanned = () => new RpcError(1012, 'Transaction is temporarily banned')
export const alreadyImported = (hash: string) =>
  new RpcError(1013, 'Transaction Already Imported', `"${hash}"`)
export const priorityTooLow = (has: bigint, offered: bigint) =>
  new RpcError(
    1014,
    `Priority is too low: (${has} vs ${offered})`,
    'The transaction has too low priority to replace another transaction already in the pool.',
  )
export const unknownBlock = (hash: string) =>
  new RpcError(4003, `Client error: UnknownBlock: Header was not found in the database: ${hash}`)
export const stateDiscarded = (hash: string) =>
  new RpcError(4003, `Client error: State already discarded for ${hash}`)

/** Why a transaction is invalid: the text of the RPC error and the variant name of the runtime API. */
export const INVALID_REASONS = {
  badSigner: { text: 'Invalid signing address', name: 'BadSigner' },
  badProof: { text: 'Transaction has a bad signature', name: 'BadProof' },
  ancientBirthBlock: { text: 'Transaction has an ancient birth block', name: 'AncientBirthBlock' },
  stale: { text: 'Transaction is outdated', name: 'Stale' },
  future: { text: 'Transaction will be valid in the future', name: 'Future' },
  payment: { text: 'Inability to pay some fees (e.g. account balance too low)', name: 'Payment' },
  call: { text: 'Transaction call is not expected', name: 'Call' },
} as const
export type InvalidReason = keyof typeof INVALID_REASONS | { readonly custom: number }

/** RPC error 1010, with its reason. */
export class InvalidTransaction extends RpcError {
  constructor(readonly reason: InvalidReason) {
    super(
      1010,
      'Invalid Transaction',
      typeof reason === 'object' ? `Custom error: ${reason.custom}` : INVALID_REASONS[reason].text,
    )
  }
}
