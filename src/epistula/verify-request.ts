import { publicKeyOf, verify } from '../kernel/index.js'
import { EPISTULA_VERSION, hashBody, requestMessage } from './message.js'
import { type Refusal, refuse } from './refusal.js'

/**
 * Header values by lower-case name, one entry per occurrence, as in Node's `IncomingMessage.headersDistinct`; `headers`
 * would join repeated headers into one string.
 */
export type DistinctHeaders = Readonly<Record<string, readonly string[] | undefined>>

const SINGLE = [
  'epistula-version',
  'epistula-timestamp',
  'epistula-uuid',
  'epistula-signed-by',
  'epistula-signed-for',
  'epistula-request-signature',
  'x-targon-model',
] as const

type EpistulaHeader = (typeof SINGLE)[number]

/** Maximum age of a timestamp and, unlike in 4.4.1, maximum lead (4.4.1 epistula.py ALLOWED_DELTA_MS). */
export const TIMESTAMP_WINDOW_MS = 8000

/** The claimed signer: a well-formed address, not verified yet. */
export interface Caller {
  readonly ok: true
  /** ss58, prefix 42. */
  readonly signedBy: string
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  readonly signedFor: string
}

/** A signed request without its body: well formed, not verified yet. */
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
 * The first and cheapest check, before any of the body is read (4.4.1 neurons/miner.py): version, receiver, well-formed
 * sender. The caller of this function then checks registration and stake of the sender.
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

/** The second check, still before the body: the remaining headers, in the order of 4.4.1. */
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
  // 4.4.1 accepted an empty one; all such requests of a signer would count as replays of the first.
  if (uuid === undefined || uuid === '') return refuse('INVALID_UUID')
  if (!/^0x[0-9a-fA-F]{128}$/.test(signatureText)) return refuse('INVALID_SIGNATURE')
  // Copied, because sending a slice of Node's buffer pool to another thread would send the whole pool.
  const signature = new Uint8Array(Buffer.from(signatureText.slice(2), 'hex'))
  return { ok: true, signedBy, publicKey, signedFor, uuid, timestampMs: Number(timestamp), signature }
}

/** Checks the timestamp against the window, inclusive at both ends. */
export function checkTimestamp(
  timestampMs: number,
  nowMs: number,
  windowMs = TIMESTAMP_WINDOW_MS,
): Refusal | undefined {
  if (timestampMs + windowMs < nowMs) return refuse('STALE')
  if (timestampMs - windowMs > nowMs) return refuse('FROM_FUTURE')
  return undefined
}

/** The expensive check (about 0.25 ms). @param bodyHash SHA-256 of the received bytes, as hex. */
export function checkSignature(claim: Claim, bodyHash: string): Refusal | undefined {
  const message = requestMessage({ ...claim, bodyHash, timestamp: String(claim.timestampMs) })
  return verify(message, claim.signature, claim.publicKey) ? undefined : refuse('SIGNATURE_MISMATCH')
}

/**
 * Verifies a whole request, for receivers without a metagraph. Add a ReplayGuard to reject replays, and await
 * `initSr25519()` first.
 *
 * @param request.signedFor the required receiver; '' for requests without a receiver (to the hub).
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

/** @returns the value of a header, or undefined. Requests with a repeated header are rejected before. */
function headerValue(headers: DistinctHeaders, name: EpistulaHeader): string | undefined {
  return headers[name]?.[0]
}

/** Rejects repeated headers, because two readers of the request could use different values. */
function refuseRepeated(headers: DistinctHeaders): Refusal | undefined {
  return SINGLE.some((name) => (headers[name]?.length ?? 0) > 1) ? refuse('REPEATED_HEADER') : undefined
}
