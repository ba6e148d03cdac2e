import { type Clock, initSr25519, systemClock, TargonError } from '../kernel/index.js'
import type { Signer } from '../wallet/index.js'
import { signRequest } from './sign-request.js'

export interface EpistulaFetchOptions {
  readonly signer: Signer
  /** ss58 address of the miner that shall answer. */
  readonly signedFor: string
  /** Sent as X-Targon-Model, for miners that route before they have read the body. */
  readonly model?: string
  readonly clock?: Clock
  /** What sends the signed request; the global fetch when absent. */
  readonly fetch?: typeof fetch
}

/**
 * A `fetch` that signs every request for one receiver, made to be handed to an OpenAI client: `new OpenAI({ fetch })`.
 * It signs exactly the bytes it sends, follows no redirect (it would carry the signature elsewhere) and asks for no
 * compression.
 *
 * @throws TargonError UNSIGNABLE_BODY when a body is a stream or a form, whose bytes are not known beforehand.
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
  throw new TargonError('Only text and bytes can be signed, not a stream or a form.', {
    code: 'UNSIGNABLE_BODY',
    fault: 'usage',
    next: 'Pass the body as a string or a Uint8Array.',
  })
}
