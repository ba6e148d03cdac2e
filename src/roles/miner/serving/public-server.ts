import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Clock, hasCode, type Log, messageOf, TargonError } from '../../../kernel/index.js'
import { createConnectionCap, type IsTrustedProxy } from '../admission/index.js'
import type { RequestHandler } from './routes.js'

/** Connections at once; the next ones are closed at once. */
const MAX_CONNECTIONS = 8192

/** The same for one address. */
const MAX_CONNECTIONS_PER_ADDRESS = 2048

const MAX_HEADER_BYTES = 16 << 10

/** Two seconds and a half in all. */
const LISTEN_TRIES = 6
const LISTEN_PAUSE_MS = 500

export interface PublicServerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly headerTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly isTrustedProxy: IsTrustedProxy
  readonly handle: RequestHandler
  readonly clock: Clock
  readonly log: Log
  /** Ends the waiting for a port that is still taken. */
  readonly signal: AbortSignal
}

export interface PublicServer {
  readonly address: string
  readonly port: number
  /** Stops listening and drops connections that carry nothing. */
  stop(): void
  /** Cuts what is left. */
  close(): Promise<void>
}

/** @throws TargonError AXON_PORT_UNAVAILABLE (fault usage); the abort reason when the signal aborts. */
export async function listenPublicly(options: PublicServerOptions): Promise<PublicServer> {
  const { host, port, headerTimeoutMs, bodyTimeoutMs } = options
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
  server.maxConnections = MAX_CONNECTIONS
  server.on('connection', createConnectionCap(MAX_CONNECTIONS_PER_ADDRESS, options.isTrustedProxy))
  const endWithConnection = createConnectionWatch()
  server.on('request', (request, response) => {
    if (response.socket === null) endWithConnection(request.socket, response)
    void options.handle(request, response)
  })
  await listenPatiently(server, options)
  // No descriptor left for one more connection: those that are there go on.
  server.on('error', (error) =>
    options.log.warn({ event: 'connection-refused', err: error }, 'could not accept a connection'),
  )
  const bound = server.address()
  const actual = typeof bound === 'object' && bound !== null ? bound : { address: host, port }
  return {
    address: actual.address,
    port: actual.port,
    stop: () => {
      server.close()
      server.closeIdleConnections()
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The process before this one may take a moment to let go of the port. */
async function listenPatiently(server: Server, options: PublicServerOptions): Promise<void> {
  const { host, port, clock, signal } = options
  for (let tries = 1; ; tries++) {
    try {
      return await listen(server, host, port)
    } catch (error) {
      if (hasCode(error, 'EADDRINUSE') && tries < LISTEN_TRIES) {
        await clock.sleep(LISTEN_PAUSE_MS, signal)
        continue
      }
      throw new TargonError(
        `The miner cannot listen on ${host}:${port}: ${messageOf(error)}.`,
        {
          code: 'AXON_PORT_UNAVAILABLE',
          fault: 'usage',
          next: 'Stop what uses the port, or give another with --axon.port.',
          facts: { host, port },
        },
        { cause: error },
      )
    }
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/**
 * An answer that waits for the one before it on its connection has no socket yet, and Node does not tell it when the
 * connection is gone: its model server would go on for nobody.
 */
function createConnectionWatch(): (socket: Socket, response: ServerResponse) => void {
  const waiting = new WeakMap<Socket, Set<ServerResponse>>()
  const watch = (socket: Socket): Set<ServerResponse> => {
    const answers = new Set<ServerResponse>()
    socket.once('close', () => {
      for (const answer of answers) {
        answer.destroy()
        if (answer.socket === null) answer.emit('close')
      }
    })
    waiting.set(socket, answers)
    return answers
  }
  return (socket, response) => {
    const answers = waiting.get(socket) ?? watch(socket)
    answers.add(response)
    response.once('close', () => answers.delete(response))
  }
}
