import type { StreamFault } from './types.js'

/** Characters of a refusal's text that are kept. */
const REFUSAL_CHARACTERS = 200

/** What the head of a response already decides: a redirect or an encoded body is never followed or decoded. */
export function checkResponseHead(
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): StreamFault | undefined {
  if (status >= 300 && status < 400) return { cause: 'REDIRECT', detail: `answered ${status}` }
  const encoding = headers['content-encoding']
  if (encoding !== undefined && String(encoding).toLowerCase() !== 'identity') {
    return { cause: 'ENCODING', detail: `content-encoding ${String(encoding).slice(0, 40)}` }
  }
  if (status === 200 && String(headers['content-type'] ?? '').startsWith('application/json')) {
    return { cause: 'BAD_STREAM', detail: 'answered JSON instead of an event stream' }
  }
  return undefined
}

/** The fault of an answer with another status than 200, with what the server said about it. */
export function errorResponseFault(status: number, body: readonly Buffer[]): StreamFault {
  const text = Buffer.concat(body).toString('utf8').slice(0, REFUSAL_CHARACTERS)
  return { cause: 'BAD_STREAM', detail: text === '' ? `answered ${status}` : `answered ${status}: ${text}` }
}
