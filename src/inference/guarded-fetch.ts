import { DEFAULT_LIMITS } from './limits.js'

/** Bounds on a response that third-party code reads. */
export interface FetchLimits {
  readonly lineBytes: number
  readonly streamBytes: number
}

const LF = 10

/**
 * Wraps a `fetch` so that responses have bounded lines and a bounded body, and rejects encoded bodies and redirects. It
 * protects readers that were not written for hostile servers (an OpenAI client rescans its buffer with every piece). The
 * stream fails with an Error at the first byte beyond a limit.
 */
export function guardFetch(inner: typeof fetch = fetch, limits: Partial<FetchLimits> = {}): typeof fetch {
  const bounds = { ...DEFAULT_LIMITS, ...limits }
  return async (input, init) => {
    const response = await inner(input, { ...init, redirect: 'error' })
    const encoding = response.headers.get('content-encoding')
    if (encoding !== null && encoding !== 'identity') {
      await response.body?.cancel()
      throw new Error(`the response is encoded (${encoding.slice(0, 40)})`)
    }
    if (!response.body) return response
    const body = response.body.pipeThrough(createGuard(bounds))
    const { status, statusText, headers } = response
    return new Response(body, { status, statusText, headers })
  }
}

function createGuard({ lineBytes, streamBytes }: FetchLimits): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0
  let line = 0
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.length
      if (bytes > streamBytes) throw new Error(`the response had more than ${streamBytes} bytes`)
      const first = chunk.indexOf(LF)
      const longest = first === -1 ? line + chunk.length : Math.max(line + first, longestLine(chunk, first))
      if (longest > lineBytes) throw new Error(`the response had a line of more than ${lineBytes} bytes`)
      line = first === -1 ? line + chunk.length : chunk.length - 1 - chunk.lastIndexOf(LF)
      controller.enqueue(chunk)
    },
  })
}

/** Length of the longest line after the one that ends at `from`, including the unfinished last one. */
function longestLine(chunk: Uint8Array, from: number): number {
  let longest = 0
  for (let start = from + 1; start < chunk.length; ) {
    const end = chunk.indexOf(LF, start)
    const stop = end === -1 ? chunk.length : end
    longest = Math.max(longest, stop - start)
    start = stop + 1
  }
  return longest
}
