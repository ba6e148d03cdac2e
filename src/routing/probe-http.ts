import type { Dispatcher } from 'undici'
import { type Clock, TargonError, withDeadline } from '../kernel/index.js'

/** Longest control answer read from an upstream (/metrics of a large vLLM is about 100 KiB). */
const MAX_BYTES = 4 << 20

export interface SmallAnswer {
  readonly status: number
  readonly text: string
}

/** One bounded control request to an upstream: never on the path of a caller's request. */
export async function requestSmall(
  clock: Clock,
  dispatcher: Dispatcher,
  origin: string,
  options: {
    readonly path: string
    readonly headers: Record<string, string>
    readonly body?: string
    readonly timeoutMs: number
    readonly signal: AbortSignal
  },
): Promise<SmallAnswer> {
  const what = `${options.body === undefined ? 'GET' : 'POST'} ${origin}${options.path}`
  return await withDeadline(clock, what, options.timeoutMs, options.signal, async (signal) => {
    const { statusCode, body } = await dispatcher.request({
      origin,
      path: options.path,
      method: options.body === undefined ? 'GET' : 'POST',
      headers: { ...options.headers, 'accept-encoding': 'identity' },
      ...(options.body === undefined ? {} : { body: options.body }),
      signal,
    })
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of body) {
      const bytes = Buffer.from(chunk)
      size += bytes.length
      if (size > MAX_BYTES) {
        throw new TargonError(`${what} answered more than ${MAX_BYTES} bytes.`, {
          code: 'UPSTREAM_ANSWER_TOO_LARGE',
          fault: 'upstream',
          next: 'Check that --model-endpoint names an OpenAI-compatible server.',
        })
      }
      chunks.push(bytes)
    }
    return { status: statusCode, text: Buffer.concat(chunks).toString('utf8') }
  })
}
