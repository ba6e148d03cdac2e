import { type Clock, initSr25519, systemClock, TargonError } from '../kernel/index.js'
import type { Signer } from '../wallet/index.js'
import { signRequest } from './sign-request.js'

export interface EpistulaFetchOptions {
  readonly signer: Signer
  /** ss58 address of the miner. */
  readonly signedFor: string
  /** Sent as X-Targon-Model, for miners that route before reading the body. */
  readonly model?: string
  readonly clock?: Clock
  /** Sends the signed request; the global fetch by default. */
  readonly fetch?: typeof fetch
}

/**
 * A `fetch` that signs every request for one receiver, for use with an OpenAI client: `new OpenAI({ fetch })`. It signs
 * exactly the bytes it sends, requests no compression, and follows no redirect, which would carry the signature elsewhere.
 *
 * @throws TargonError UNSIGNABLE_BODY for a stream or a form, whose bytes are not known in advance.
 */
export function epistulaFetch(options: EpistulaFetchOptions): typeof fetch {
  const { signer, signedFor, model, clock = systemClock } = options
  return async (input, init) => {
    await initSr25519()
    const request = input instanceof Request ? input : undefined
    const body = init?.body === undefined && request ? await request.arrayBuffer() : init?.body
    const bytes = bodyBytes(body)
    const headers = new Headers(init?.headers ?? request?.headers)
    headers.set('accept-encoding', 'identity')
    const signed = signRequest({ signer, signedFor, body: bytes, nowMs: clock.now(), model })
    for (const [name, value] of Object.entries(signed)) headers.set(name, value)
    const method = init?.method ?? request?.method ?? 'GET'
    const signal = init?.signal ?? request?.signal
    return (options.fetch ?? fetch)(request?.url ?? input, {
      ...init,
      method,
      headers,
      redirect: 'error',
      ...(signal ? { signal } : {}),
      ...(bytes.length > 0 ? { body: bytes } : {}),
    })
  }
}

function bodyBytes(body: unknown): Uint8Array<ArrayBuffer> {
  if (body === undefined || body === null) return new Uint8Array()
  if (typeof body === 'string') return new TextEncoder().encode(body)
  if (body instanceof URLSearchParams) return new TextEncoder().encode(body.toString())
  if (body instanceof ArrayBuffer) return new Uint8Array(body)
  if (ArrayBuffer.isView(body)) {
    // A copy: the caller may change its buffer between signing and sending.
    return new Uint8Array(
      body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength) as ArrayBuffer,
    )
  }
  throw new TargonError('Cannot sign a stream or a form: only text and bytes can be signed.', {
    code: 'UNSIGNABLE_BODY',
    fault: 'usage',
    next: 'Pass the body as a string or a Uint8Array.',
  })
}
