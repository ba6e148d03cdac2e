import { publicKeyOf, verify } from '../kernel/index.js'
import { type DistinctHeaders, headerValue, refuseRepeated } from './headers.js'
import { EPISTULA_VERSION, hashBody, requestMessage } from './message.js'
import { type Refusal, refuse } from './refusal.js'

/** How far a timestamp may lie in the past and, unlike 4.4.1, in the future (4.4.1 epistula.py ALLOWED_DELTA_MS). */
export const TIMESTAMP_WINDOW_MS = 8000

/** Who claims to have signed. Nothing is proved yet, but the address is well formed. */
export interface Caller {
  readonly ok: true
  /** ss58, prefix 42. */
  readonly signedBy: string
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  readonly signedFor: string
}

/** Everything of a signed request but its body; well formed, not yet proved. */
export interface Claim {
  readonly ok: true
  readonly signedBy: string
  readonly publicKey: Uint8Array
  readonly signedFor: string
  readonly uuid: string
  readonly timestampMs: number
  /** 64 bytes. */
  readonly signature: Uint8Array
}

/**
 * First and cheapest part of a check, before anything of the body is read (4.4.1 neurons/miner.py):
 * version, then receiver, then a well-formed sender. The caller of this function then looks the sender up and asks for its stake.
 *
 * @param self ss58 address of the receiving hotkey.
 */
export function readCaller(headers: DistinctHeaders, self: string): Caller | Refusal {
  const repeated = refuseRepeated(headers)
  if (repeated) return repeated
  if (headerValue(headers, 'epistula-version') !== EPISTULA_VERSION) return refuse('UNKNOWN_VERSION')
  const signedFor = headerValue(headers, 'epistula-signed-for')
  if (signedFor !== self) return refuse('NOT_FOR_SELF')
  const signedBy = headerValue(headers, 'epistula-signed-by') ?? ''
  const publicKey = publicKeyOf(signedBy)
  if (!publicKey) return refuse('UNKNOWN_SIGNER')
  return { ok: true, signedBy, publicKey, signedFor }
}

/** Second part: the remaining headers, in the order 4.4.1 tests them; still before the body. */
export function readClaim(headers: DistinctHeaders): Claim | Refusal {
  const repeated = refuseRepeated(headers)
  if (repeated) return repeated
  const signatureText = headerValue(headers, 'epistula-request-signature')
  if (signatureText === undefined) return refuse('INVALID_SIGNATURE')
  const timestamp = headerValue(headers, 'epistula-timestamp')
  if (timestamp === undefined || !/^\d{13}$/.test(timestamp)) return refuse('INVALID_TIMESTAMP')
  const signedBy = headerValue(headers, 'epistula-signed-by')
  const publicKey = signedBy === undefined ? undefined : publicKeyOf(signedBy)
  if (signedBy === undefined || !publicKey) return refuse('INVALID_SENDER')
  const signedFor = headerValue(headers, 'epistula-signed-for')
  if (signedFor === undefined) return refuse('INVALID_RECEIVER')
  const uuid = headerValue(headers, 'epistula-uuid')
  if (uuid === undefined) return refuse('INVALID_UUID')
  if (!/^0x[0-9a-fA-F]{128}$/.test(signatureText)) return refuse('INVALID_SIGNATURE')
  // A copy of its own: a slice of Node's pool would take the whole pool along when it is sent to another thread.
  const signature = new Uint8Array(Buffer.from(signatureText.slice(2), 'hex'))
  return { ok: true, signedBy, publicKey, signedFor, uuid, timestampMs: Number(timestamp), signature }
}

/** The window both ways; both ends inclusive. */
export function checkTimestamp(
  timestampMs: number,
  nowMs: number,
  windowMs = TIMESTAMP_WINDOW_MS,
): Refusal | undefined {
  if (timestampMs + windowMs < nowMs) return refuse('STALE')
  if (timestampMs - windowMs > nowMs) return refuse('FROM_FUTURE')
  return undefined
}

/** The costly part (about 0.25 ms). @param bodyHash hex SHA-256 of the bytes received, hashed while reading. */
export function checkSignature(claim: Claim, bodyHash: string): Refusal | undefined {
  const message = requestMessage({ ...claim, bodyHash, timestamp: String(claim.timestampMs) })
  return verify(message, claim.signature, claim.publicKey) ? undefined : refuse('SIGNATURE_MISMATCH')
}

/**
 * The whole check of a received request, for receivers without a metagraph. It does not remember requests: put a
 * ReplayGuard behind it. Needs `initSr25519()` once before.
 *
 * @param request.signedFor the receiver it must be meant for; '' for a request to anybody (the hub's routes).
 */
export function verifyRequest(request: {
  readonly headers: DistinctHeaders
  readonly body: Uint8Array
  readonly nowMs: number
  readonly signedFor: string
  readonly windowMs?: number
}): Claim | Refusal {
  const { nowMs, signedFor, windowMs } = request
  const headers = signedFor === '' ? { 'epistula-signed-for': [''], ...request.headers } : request.headers
  const caller = readCaller(headers, signedFor)
  if (!caller.ok) return caller.code === 'UNKNOWN_SIGNER' ? refuse('INVALID_SENDER') : caller
  const claim = readClaim(headers)
  if (!claim.ok) return claim
  return (
    checkTimestamp(claim.timestampMs, nowMs, windowMs) ??
    checkSignature(claim, hashBody(request.body)) ??
    claim
  )
}
