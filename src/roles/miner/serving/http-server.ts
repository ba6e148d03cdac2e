import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { UnreadableRequests } from '../../../kernel/index.js'
import type { RequestHandler } from './routes.js'
import { unreadableAnswer } from './unreadable-answer.js'

const MAX_HEADER_BYTES = 16 << 10

export interface HttpOptions {
  readonly headerTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly handle: RequestHandler
  /** A request that could not be read was refused, with the code of the refusal. */
  readonly onUnreadable?: (code: string) => void
}

/** The HTTP server of the public port; it is not listening yet. */
export function createHttpServer(options: HttpOptions): Server {
  const { headerTimeoutMs, bodyTimeoutMs } = options
  const server = createServer({
    headersTimeout: headerTimeoutMs,
    requestTimeout: headerTimeoutMs + bodyTimeoutMs,
    connectionsCheckingInterval: 500,
    keepAliveTimeout: 15_000,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    requireHostHeader: true,
    noDelay: true,
  })
  const closeWithConnection = createConnectionWatch()
  const unreadable = new UnreadableRequests((reason) =>
    unreadableAnswer(reason, options.onUnreadable ?? (() => {})),
  )
  server.on('clientError', (error, socket) => unreadable.refuse(error, socket as Socket))
  server.on('request', (request, response) => {
    unreadable.note(response, request.socket)
    if (response.socket === null) closeWithConnection(request.socket, response)
    void options.handle(request, response)
  })
  return server
}

/**
 * A pipelined response waiting for the one before it has no socket yet, and Node emits no event on it when the connection
 * closes: its model server would keep generating for a caller that has left.
 */
function createConnectionWatch(): (socket: Socket, response: ServerResponse) => void {
  const waiting = new WeakMap<Socket, Set<ServerResponse>>()
  const watch = (socket: Socket): Set<ServerResponse> => {
    const responses = new Set<ServerResponse>()
    socket.once('close', () => {
      for (const response of responses) {
        response.destroy()
        if (response.socket === null) response.emit('close')
      }
    })
    waiting.set(socket, responses)
    return responses
  }
  return (socket, response) => {
    const responses = waiting.get(socket) ?? watch(socket)
    responses.add(response)
    response.once('close', () => responses.delete(response))
  }
}
