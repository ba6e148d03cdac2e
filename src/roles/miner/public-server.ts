import { createServer, type Server } from 'node:http'
import { messageOf, TargonError } from '../../errors.js'
import type { RequestHandler } from './routes.js'

/** Connections at once; the next ones are closed at once. */
const MAX_CONNECTIONS = 8192

const MAX_HEADER_BYTES = 16 << 10

export interface PublicServerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly headerTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly handle: RequestHandler
}

export interface PublicServer {
  readonly address: string
  readonly port: number
  /** Stops listening and drops connections that carry nothing. */
  stop(): void
  /** Cuts what is left. */
  close(): Promise<void>
}

/** @throws TargonError AXON_PORT_UNAVAILABLE (fault usage). */
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
  server.on('request', (request, response) => void options.handle(request, response))
  await listen(server, host, port)
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

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new TargonError(
          `The miner cannot listen on ${host}:${port}: ${messageOf(error)}.`,
          {
            code: 'AXON_PORT_UNAVAILABLE',
            fault: 'usage',
            next: 'Stop what uses the port, or give another with --axon.port.',
            facts: { host, port },
          },
          { cause: error },
        ),
      )
    })
    server.listen({ host, port, backlog: 1024 }, resolve)
  })
}
