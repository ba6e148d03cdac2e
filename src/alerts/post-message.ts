import { type Clock, messageOf, packageVersion, withDeadline } from '../kernel/index.js'

export type PostResult =
  | { readonly kind: 'sent' }
  /** The same message would be refused again. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs?: number }

export interface Message {
  readonly url: URL
  readonly secret?: string | undefined
  /** JSON. */
  readonly body: string
}

const TIMEOUT_MS = 10_000
/** Statuses after which the same request may succeed (RFC 9110 §15.5.9, RFC 8470, RFC 6585). */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429])

/** Posts a message once; redirects are not followed, because the secret is for this host. Never rejects. */
export async function postMessage(
  { url, secret, body }: Message,
  clock: Clock,
  signal: AbortSignal,
): Promise<PostResult> {
  try {
    return await withDeadline(clock, 'sending alerts', TIMEOUT_MS, signal, async (inner) => {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        signal: inner,
        body,
        headers: {
          'content-type': 'application/json',
          'user-agent': `targon/${packageVersion()}`,
          ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
        },
      })
      await response.body?.cancel()
      return resultOf(response)
    })
  } catch (error) {
    return { kind: 'failed', reason: reasonOf(error) }
  }
}

function resultOf({ status, ok, headers }: Response): PostResult {
  if (ok) return { kind: 'sent' }
  const reason = `status ${status}`
  if (status < 500 && !PASSING.has(status)) return { kind: 'refused', reason }
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return { kind: 'failed', reason, ...(seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}) }
}

/** The address itself may be a secret, so only the cause of a failed connection is told. */
function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error)
}
