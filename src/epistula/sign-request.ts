import { randomUUID } from 'node:crypto'
import type { Signer } from '../wallet/index.js'
import { EPISTULA_VERSION, hashBody, requestMessage } from './message.js'
import { secretSignatures } from './secret-signatures.js'

/** Headers of a signed request, in the order 4.4.1 sends them. */
export type EpistulaHeaders = Record<string, string>

export interface UnsignedRequest {
  readonly signer: Signer
  /** ss58 address of the receiver; absent or '' for a request without a receiver (to the hub). */
  readonly signedFor?: string | undefined
  /** The exact bytes that will be sent; empty for GET. */
  readonly body: Uint8Array
  /** Wall clock, milliseconds since the Unix epoch. */
  readonly nowMs: number
  /** A random UUID by default. */
  readonly uuid?: string | undefined
  /** Value of X-Targon-Model, which is not signed. */
  readonly model?: string | undefined
}

/**
 * Signs a request (4.4.1 epistula.py generate_header, version 2). With a receiver the headers also include its address and
 * the three secret signatures. Await `initSr25519()` first.
 */
export function signRequest(request: UnsignedRequest): EpistulaHeaders {
  const { signer, nowMs, model } = request
  const uuid = request.uuid ?? randomUUID()
  const signedFor = request.signedFor ?? ''
  const timestamp = String(Math.round(nowMs))
  const message = requestMessage({ bodyHash: hashBody(request.body), uuid, timestamp, signedFor })
  const headers: EpistulaHeaders = {
    'Epistula-Version': EPISTULA_VERSION,
    'Epistula-Timestamp': timestamp,
    'Epistula-Uuid': uuid,
    'Epistula-Signed-By': signer.address,
    'Epistula-Request-Signature': `0x${Buffer.from(signer.sign(message)).toString('hex')}`,
  }
  if (signedFor !== '') {
    headers['Epistula-Signed-For'] = signedFor
    for (const [index, signature] of secretSignatures(signer, signedFor, Number(timestamp)).entries()) {
      headers[`Epistula-Secret-Signature-${index}`] = signature
    }
  }
  if (model !== undefined) headers['X-Targon-Model'] = model
  return headers
}
