import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../../kernel/index.js'
import { type Deadlines, errorType, openAiError, type Timed } from '../../../routing/index.js'
import type { AdmissionRefusal } from './refusals.js'

/** How long a refused caller that is still sending has to read its response before the connection is cut. */
const LINGER_MS = 1000

/** How much of a refused body is read and discarded meanwhile; beyond that reading pauses. */
const MAX_DISCARDED_BYTES = 64 << 10

/** Connections that may linger at once, since each may cost us a read buffer; more are closed after the response. */
const MAX_LINGERING = 32

let lingering = 0

/** Refusals that 4.4.1 knows too: the caller gets its bytes (neurons/miner.py, and FastAPI's 404). */
const OF_4_4_1: ReadonlySet<string> = new Set([
  ...[
    'UNKNOWN_VERSION',
    'NOT_FOR_SELF',
    'UNKNOWN_SIGNER',
    'LOW_STAKE',
    'INVALID_SIGNATURE',
    'INVALID_TIMESTAMP',
  ],
  ...['INVALID_SENDER', 'INVALID_RECEIVER', 'INVALID_UUID', 'STALE', 'SIGNATURE_MISMATCH', 'NOT_FOUND'],
])

/** `{"detail": …}` where 4.4.1 answers that; otherwise an error of OpenAI's shape, with `detail` for older callers. */
export function refusalBody({ code, status, detail, param }: AdmissionRefusal): string {
  if (OF_4_4_1.has(code)) return JSON.stringify({ detail })
  const error = { message: detail, type: errorType(status), code: code.toLowerCase() }
  return JSON.stringify({ ...openAiError(param === undefined ? error : { ...error, param }), detail })
}

/** Answers a request that is not served, and stops reading its body. */
export function writeRefusal(
  clock: Clock,
  deadlines: Deadlines,
  request: IncomingMessage,
  response: ServerResponse,
  refusal: AdmissionRefusal,
): void {
  if (response.headersSent || response.destroyed) return
  const body = refusalBody(refusal)
  const retryAfter = refusal.retryAfterSeconds ?? (refusal.status === 503 ? 1 : undefined)
  response.writeHead(refusal.status, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
  })
  response.end(body)
  discardBody(clock, deadlines, request, response)
}

/** After the response: discards the rest of the body for a moment, then cuts the connection. */
export function discardBody(
  clock: Clock,
  deadlines: Deadlines,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (request.complete || request.destroyed) return
  const { socket } = request
  if (lingering >= MAX_LINGERING) {
    // `destroySoon` flushes what has been written first.
    if (response.writableFinished) socket.destroySoon()
    else response.once('finish', () => socket.destroySoon())
    return
  }
  lingering++
  let discarded = 0
  request.on('data', (bytes: Buffer) => {
    discarded += bytes.length
    if (discarded > MAX_DISCARDED_BYTES) request.pause()
  })
  request.resume()
  const startedAt = clock.monotonic()
  const timed: Timed = {
    check: (now) => {
      if (now - startedAt >= LINGER_MS) socket.destroy()
    },
  }
  deadlines.watch(timed)
  // Of the request, not of its socket, which may carry thousands more.
  request.once('close', () => {
    lingering--
    deadlines.forget(timed)
  })
}
