import { type Clock, TargonError, withDeadline } from '../kernel/index.js'
import type { Upstream } from './upstream.js'

/** Longest reply read from an upstream (/metrics of a large vLLM is about 100 KiB). */
const MAX_BYTES = 4 << 20

const ONE_TOKEN_TIMEOUT_MS = 30_000

export interface ProbeReply {
  readonly status: number
  readonly text: string
}

/** Sends one bounded request of the miner itself, a GET or a POST of `body`, apart from the callers' connections. */
export async function probe(
  clock: Clock,
  upstream: Upstream,
  request: { readonly path: string; readonly body?: string; readonly timeoutMs: number },
  stop: AbortSignal,
): Promise<ProbeReply> {
  const { origin } = upstream
  const { path, body: sent, timeoutMs } = request
  const method = sent === undefined ? 'GET' : 'POST'
  const what = `${method} ${origin}${path}`
  return await withDeadline(clock, what, timeoutMs, stop, async (signal) => {
    const { statusCode, body } = await upstream.control.request({
      origin,
      path,
      method,
      headers: {
        ...upstream.headers,
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
        'accept-encoding': 'identity',
      },
      ...(sent === undefined ? {} : { body: sent }),
      signal,
    })
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of body) {
      const bytes = Buffer.from(chunk)
      size += bytes.length
      if (size > MAX_BYTES) {
        throw new TargonError(`${what} returned more than ${MAX_BYTES} bytes.`, {
          code: 'UPSTREAM_ANSWER_TOO_LARGE',
          fault: 'upstream',
          next: 'Check that --model-endpoint is the URL of an OpenAI-compatible server.',
        })
      }
      chunks.push(bytes)
    }
    return { status: statusCode, text: Buffer.concat(chunks).toString('utf8') }
  })
}

/** Requests a single token: unlike a caller's request, a failure here cannot be the caller's doing. */
export function probeOneToken(
  clock: Clock,
  upstream: Upstream,
  model: string,
  fields: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<ProbeReply> {
  const body = JSON.stringify({ model, prompt: 'Hello', max_tokens: 1, temperature: 0, ...fields })
  const path = `${upstream.basePath}/completions`
  return probe(clock, upstream, { path, body, timeoutMs: ONE_TOKEN_TIMEOUT_MS }, signal)
}
