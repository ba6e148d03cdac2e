import type { Server } from 'node:net'
import {
  type Clock,
  descriptorLimit,
  hasCode,
  type IsTrustedProxy,
  type Log,
  messageOf,
  RAISE_DESCRIPTOR_LIMIT,
  TargonError,
} from '../../../kernel/index.js'
import { createConnectionCap } from '../admission/index.js'
import { createHttpServer, type HttpOptions } from './http-server.js'

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

/** Together 2.5 s. */
const LISTEN_TRIES = 6
const LISTEN_PAUSE_MS = 500

export interface ListenOptions {
  readonly host: string
  /** 0 chooses a free one. */
  readonly port: number
  readonly clock: Pick<Clock, 'sleep'>
  /** Aborts waiting for a port that is in use. */
  readonly signal: AbortSignal
}

export interface PublicServerOptions extends ListenOptions, HttpOptions {
  readonly isTrustedProxy: IsTrustedProxy
  readonly log: Log
}

export interface PublicServer {
  readonly address: string
  readonly port: number
  /** Stops listening and cuts all connections. */
  close(): Promise<void>
}

/** @throws TargonError AXON_PORT_UNAVAILABLE (fault usage); the abort reason when the signal aborts. */
export async function listenPublicly(options: PublicServerOptions): Promise<PublicServer> {
  const server = createHttpServer(options)
  const { total, perAddress } = readConnectionLimits(options.log)
  server.maxConnections = total
  server.on('connection', createConnectionCap(perAddress, options.isTrustedProxy))
  const { address, port } = await listenWithRetries(server, options, options.log)
  return {
    address,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** {@link connectionLimits} of this process; a low limit on open files is logged. */
export function readConnectionLimits(log: Log): ReturnType<typeof connectionLimits> {
  const descriptors = descriptorLimit()
  const limits = connectionLimits(descriptors)
  if (limits.total < MAX_CONNECTIONS)
    log.warn(
      {
        event: 'descriptor-limit-low',
        descriptors,
        connections: limits.total,
        next: RAISE_DESCRIPTOR_LIMIT,
      },
      'the limit on open files leaves fewer connections than usual',
    )
  return limits
}

/**
 * The previous process may take a moment to release the port.
 *
 * @returns where it listens.
 * @throws TargonError AXON_PORT_UNAVAILABLE (fault usage); the abort reason when the signal aborts.
 */
export async function listenWithRetries(
  server: Server,
  options: ListenOptions,
  log: Log,
): Promise<{ readonly address: string; readonly port: number }> {
  const { host, port } = options
  await tryToListen(server, options)
  // Out of file descriptors, for example: existing connections continue.
  server.on('error', (error) =>
    log.warn({ event: 'connection-refused', err: error }, 'could not accept a connection'),
  )
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? bound : { address: host, port }
}

async function tryToListen(server: Server, options: ListenOptions): Promise<void> {
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
