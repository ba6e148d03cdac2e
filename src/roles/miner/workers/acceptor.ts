import { createServer, type Socket } from 'node:net'
import type { IsTrustedProxy, Log } from '../../../kernel/index.js'
import { createConnectionCounts } from '../admission/index.js'
import { type ListenOptions, listenWithRetries, readConnectionLimits } from '../serving/index.js'

export interface AcceptorOptions extends ListenOptions {
  readonly log: Log
  readonly isTrustedProxy: IsTrustedProxy
  /** Passes the connection to a worker. @param onClosed call it when the connection has closed. @returns false when no worker is ready */
  readonly pass: (socket: Socket, onClosed: () => void) => boolean
}

export interface Acceptor {
  readonly address: string
  readonly port: number
  close(): void
}

/**
 * Accepts the connections of the public port within its limits, and passes them on unread. If the workers shared the port
 * instead, connections would be spread unevenly, and each worker would have its own limits per address.
 *
 * @throws TargonError AXON_PORT_UNAVAILABLE (fault usage); the abort reason when the signal aborts.
 */
export async function acceptPublicly(options: AcceptorOptions): Promise<Acceptor> {
  const { log, isTrustedProxy, pass } = options
  const limits = readConnectionLimits(log)
  const counts = createConnectionCounts(limits.perAddress, isTrustedProxy)
  let open = 0
  const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    // The caller may disconnect before a worker has the connection.
    socket.on('error', () => {})
    const onAddressClosed = open < limits.total ? counts.open(socket.remoteAddress) : undefined
    if (onAddressClosed === undefined) return void socket.destroy()
    open++
    const onClosed = () => {
      open--
      onAddressClosed()
    }
    if (pass(socket, onClosed)) return
    socket.destroy()
    onClosed()
  })
  const { address, port } = await listenWithRetries(server, options, log)
  // Not awaited: Node reports the server closed only when the workers have closed every connection.
  return { address, port, close: () => void server.close() }
}
