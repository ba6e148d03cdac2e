import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

/** Why Node's parser refused a request. */
export type UnreadableReason = 'malformed' | 'headers-too-large' | 'too-slow'

/** What is answered instead. */
export interface UnreadableAnswer {
  readonly status: number
  /** JSON. */
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

const REASONS: ReadonlyMap<unknown, UnreadableReason> = new Map([
  ['HPE_HEADER_OVERFLOW', 'headers-too-large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', 'too-slow'],
])

/** Answers what Node's parser refuses, which has no request and no response: Node itself would send a status without a body. */
export class UnreadableRequests {
  /** The newest response of each connection. */
  readonly #responses = new WeakMap<Socket, ServerResponse>()

  constructor(private readonly answer: (reason: UnreadableReason) => UnreadableAnswer) {}

  note(response: ServerResponse, socket: Socket): void {
    this.#responses.set(socket, response)
  }

  refuse(error: Error & { readonly code?: string }, socket: Socket): void {
    const response = this.#responses.get(socket)
    const isOver = response === undefined || (response.writableFinished && response.shouldKeepAlive)
    // An answer under way, or the last one of a connection, must not be followed by bytes of another.
    if (socket.writable && (isOver || !response.headersSent) && error.code !== 'ECONNRESET')
      socket.write(messageOf(this.answer(REASONS.get(error.code) ?? 'malformed')))
    socket.destroy()
  }
}

function messageOf({ status, body, headers = {} }: UnreadableAnswer): string {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}
