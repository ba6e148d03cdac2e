import { readErrorText } from './error-text.js'
import type { StreamFault } from './types.js'

/** Rejects responses by their head: redirects are not followed, encoded bodies not decoded. */
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

/** The fault of a response whose status is not 200, with the sentence the server sent. */
export function errorResponseFault(status: number, body: readonly Buffer[]): StreamFault {
  const text = readErrorText(Buffer.concat(body).toString('utf8'))
  return { cause: 'BAD_STREAM', detail: text === '' ? `answered ${status}` : `answered ${status}: ${text}` }
}
