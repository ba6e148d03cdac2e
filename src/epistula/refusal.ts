/** Every reason to refuse a signed request: HTTP status and the text 4.4.1 returns. */
const REFUSALS = {
  REPEATED_HEADER: { status: 400, detail: 'Repeated Epistula header' },
  UNKNOWN_VERSION: { status: 400, detail: 'Unknown Epistula version' },
  NOT_FOR_SELF: { status: 400, detail: 'Bad Request, message is not intended for self' },
  UNKNOWN_SIGNER: { status: 401, detail: 'Signer not in metagraph' },
  INVALID_SIGNATURE: { status: 400, detail: 'Invalid Signature' },
  INVALID_TIMESTAMP: { status: 400, detail: 'Invalid Timestamp' },
  INVALID_SENDER: { status: 400, detail: 'Invalid Sender key' },
  INVALID_RECEIVER: { status: 400, detail: 'Invalid receiver key' },
  INVALID_UUID: { status: 400, detail: 'Invalid uuid' },
  STALE: { status: 400, detail: 'Request is too stale' },
  FROM_FUTURE: { status: 400, detail: 'Request is too far in the future' },
  SIGNATURE_MISMATCH: { status: 400, detail: 'Signature Mismatch' },
  REPLAYED: { status: 400, detail: 'Request was received before' },
  BEFORE_START: { status: 400, detail: 'Request is older than this server' },
  REPLAY_GUARD_FULL: { status: 503, detail: 'Too many requests at the moment' },
} as const

export type RefusalCode = keyof typeof REFUSALS

/** Why a request is refused. `detail` is what 4.4.1 returns as `{"detail": …}` where it has the same rule. */
export interface Refusal {
  readonly ok: false
  readonly code: RefusalCode
  readonly status: number
  readonly detail: string
}

export function refuse(code: RefusalCode): Refusal {
  return { ok: false, code, ...REFUSALS[code] }
}
