import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import {
  type AdmissionRefusal,
  HEADERS_TOO_LARGE,
  HEADERS_TOO_SLOW,
  refusalBody,
  UNREADABLE_REQUEST,
} from '../admission/index.js'

/** What Node's parser reports, where it is not simply malformed. */
const REFUSALS: ReadonlyMap<unknown, AdmissionRefusal> = new Map([
  ['HPE_HEADER_OVERFLOW', HEADERS_TOO_LARGE],
  ['ERR_HTTP_REQUEST_TIMEOUT', HEADERS_TOO_SLOW],
])

/** Answers what Node's parser refuses, which has no request and no response: Node itself would send a status without a body. */
export class UnreadableRequests {
  readonly #onRefused: (code: string) => void
  /** The newest response of each connection. */
  readonly #responses = new WeakMap<Socket, ServerResponse>()

  constructor(onRefused: (code: string) => void) {
    this.#onRefused = onRefused
  }

  note(response: ServerResponse, socket: Socket): void {
    this.#responses.set(socket, response)
  }

  refuse(error: Error & { readonly code?: string }, socket: Socket): void {
    const response = this.#responses.get(socket)
    const isOver = response === undefined || (response.writableFinished && response.shouldKeepAlive)
    // An answer under way, or the last one of a connection, must not be followed by bytes of another.
    if (socket.writable && (isOver || !response.headersSent) && error.code !== 'ECONNRESET') {
      const refusal = REFUSALS.get(error.code) ?? UNREADABLE_REQUEST
      socket.write(messageOf(refusal))
      this.#onRefused(refusal.code)
    }
    socket.destroy()
  }
}

function messageOf(refusal: AdmissionRefusal): string {
  const body = refusalBody(refusal)
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}
