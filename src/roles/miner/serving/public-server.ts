import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import {
  type Clock,
  descriptorLimit,
  hasCode,
  type IsTrustedProxy,
  type Log,
  messageOf,
  RAISE_DESCRIPTOR_LIMIT,
  TargonError,
  UnreadableRequests,
} from '../../../kernel/index.js'
import { createConnectionCap } from '../admission/index.js'
import type { RequestHandler } from './routes.js'
import { unreadableAnswer } from './unreadable-answer.js'

/** Open connections; further ones are closed immediately. */
const MAX_CONNECTIONS = 8192

/** The same, per address. */
const MAX_CONNECTIONS_PER_ADDRESS = 2048

/** Files, the chain, Redis, health checks, metrics and the libraries. */
const RESERVED_DESCRIPTORS = 128

/**
 * How many callers may be connected: each may need a second descriptor for a connection to a model server.
 *
 * @param descriptors what this process may have open; undefined when unknown
 */
export function connectionLimits(descriptors: number | undefined): {
  readonly total: number
  readonly perAddress: number
} {
  const room = Math.floor(((descriptors ?? Number.POSITIVE_INFINITY) - RESERVED_DESCRIPTORS) / 2)
  const total = Math.max(16, Math.min(MAX_CONNECTIONS, room))
  return { total, perAddress: Math.min(MAX_CONNECTIONS_PER_ADDRESS, Math.ceil(total / 2)) }
}

const MAX_HEADER_BYTES = 16 << 10

/** Together 2.5 s. */
const LISTEN_TRIES = 6
const LISTEN_PAUSE_MS = 500

export interface PublicServerOptions {
  readonly host: string
  /** 0 chooses a free one. */
  readonly port: number
  readonly headerTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly isTrustedProxy: IsTrustedProxy
  readonly handle: RequestHandler
  /** A request that could not be read was refused, with the code of the refusal. */
  readonly onUnreadable?: (code: string) => void
  readonly clock: Clock
  readonly log: Log
  /** Aborts waiting for a port that is in use. */
  readonly signal: AbortSignal
}

export interface PublicServer {
  readonly address: string
  readonly port: number
  /** Stops listening and cuts all connections. */
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
  const descriptors = descriptorLimit()
  const { total, perAddress } = connectionLimits(descriptors)
  if (total < MAX_CONNECTIONS)
    options.log.warn(
      {
        event: 'descriptor-limit-low',
        descriptors,
        connections: total,
        next: RAISE_DESCRIPTOR_LIMIT,
      },
      'the limit on open files leaves fewer connections than usual',
    )
  server.maxConnections = total
  server.on('connection', createConnectionCap(perAddress, options.isTrustedProxy))
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
  await listenWithRetries(server, options)
  // Out of file descriptors, for example: existing connections continue.
  server.on('error', (error) =>
    options.log.warn({ event: 'connection-refused', err: error }, 'could not accept a connection'),
  )
  const bound = server.address()
  const actual = typeof bound === 'object' && bound !== null ? bound : { address: host, port }
  return {
    address: actual.address,
    port: actual.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The previous process may take a moment to release the port. */
async function listenWithRetries(server: Server, options: PublicServerOptions): Promise<void> {
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
          next: 'Stop the process that uses the port, or choose another with --axon.port.',
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
