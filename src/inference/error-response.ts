import { isJsonObject, parseJson, systemClock, withDeadline } from '../kernel/index.js'
import { ERROR_BODY_BYTES, readErrorText } from './error-text.js'

/** Time for the body of an error response. */
const ERROR_BODY_MS = 5000

/**
 * Wraps a `fetch` so that every error response has the form of OpenAI, `{"error": {"message", "type", "code", "param",
 * "body"}}`: clients of the `openai` package keep nothing else. `message` is the sentence of the miner, `body` what it sent,
 * parsed if it is JSON; at most 16 KiB of it are read. An error that has this form already is kept as it is.
 */
export function explainErrors(inner: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await inner(input, init)
    if (response.ok || !response.body) return response
    const text = await readStart(response.body, init?.signal ?? undefined)
    const { status, statusText } = response
    const headers = new Headers(response.headers)
    headers.delete('content-length')
    headers.set('content-type', 'application/json')
    return new Response(JSON.stringify(inOpenAiForm(text, status)), { status, statusText, headers })
  }
}

function inOpenAiForm(text: string, status: number): unknown {
  const json = parseJson(text, { depth: 16, values: 1000 })
  const sent = isJsonObject(json) ? json.error : undefined
  if (isJsonObject(sent) && typeof sent.message === 'string') return json
  const message = readErrorText(text) || `answered ${status} without a text`
  return { error: { message, type: 'miner_error', code: null, param: null, body: json ?? text } }
}

/** The beginning of a body: what has arrived when it ends, breaks, or takes too long. */
async function readStart(body: ReadableStream<Uint8Array>, signal: AbortSignal | undefined): Promise<string> {
  const reader = body.getReader()
  const parts: Uint8Array[] = []
  let bytes = 0
  const readAll = async () => {
    while (bytes < ERROR_BODY_BYTES) {
      const { done, value } = await reader.read()
      if (done) return
      parts.push(value.subarray(0, ERROR_BODY_BYTES - bytes))
      bytes += value.length
    }
  }
  await withDeadline(systemClock, 'the error response', ERROR_BODY_MS, signal, readAll).catch(() => {})
  signal?.throwIfAborted()
  reader.cancel().catch(() => {})
  return Buffer.concat(parts).toString('utf8')
}
