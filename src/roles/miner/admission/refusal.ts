import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../../kernel/index.js'
import type { Deadlines, Timed } from '../../../routing/index.js'

/** Why the door stays shut: a label for metrics, a status and the text of the answer. */
export interface AdmissionRefusal {
  readonly code: string
  readonly status: number
  readonly detail: string
  readonly retryAfterSeconds?: number
}

/** How long a refused caller has to see its answer before the connection is cut. */
const LINGER_MS = 1000

/** What of a refused body is still taken in (and thrown away) meanwhile: a small rest, not whatever a stranger sends. */
const MAX_DROPPED_BYTES = 64 << 10

/** Callers that may linger at once: each may hold one read of ours, and beyond that an answer may be lost on a liar. */
const MAX_LINGERING = 32

let lingering = 0

/** `{"detail": …}`, the shape 4.4.1 answers with. The body is not read any further; its connection does not live on it. */
export function writeRefusal(
  clock: Clock,
  deadlines: Deadlines,
  request: IncomingMessage,
  response: ServerResponse,
  refusal: AdmissionRefusal,
): void {
  if (response.headersSent || response.destroyed) return
  const body = JSON.stringify({ detail: refusal.detail })
  response.writeHead(refusal.status, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...(refusal.retryAfterSeconds === undefined ? {} : { 'retry-after': String(refusal.retryAfterSeconds) }),
  })
  response.end(body)
  dropBody(clock, deadlines, request, response)
}

/** The request has its answer: what is left of its body is thrown away for a moment, then the connection is cut. */
export function dropBody(
  clock: Clock,
  deadlines: Deadlines,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (request.complete || request.destroyed) return
  const { socket } = request
  if (lingering >= MAX_LINGERING) {
    // What has been written leaves before the end of the connection.
    if (response.writableFinished) socket.destroySoon()
    else response.once('finish', () => socket.destroySoon())
    return
  }
  lingering++
  let dropped = 0
  request.on('data', (bytes: Buffer) => {
    dropped += bytes.length
    if (dropped > MAX_DROPPED_BYTES) request.pause()
  })
  request.resume()
  const since = clock.monotonic()
  const timed: Timed = {
    check: (now) => {
      if (now - since >= LINGER_MS) socket.destroy()
    },
  }
  deadlines.watch(timed)
  // Of the request, not of its socket, which may carry thousands more.
  request.once('close', () => {
    lingering--
    deadlines.forget(timed)
  })
}
