import type { Socket } from 'node:net'
import { type IsTrustedProxy, networkOf, unmapAddress } from '../../../kernel/index.js'

/** Open connections per address. */
export interface ConnectionCounts {
  /** @returns what to call when the connection has closed; undefined when its address has as many as it may. */
  open(remoteAddress: string | undefined): (() => void) | undefined
}

/** Counts connections per address, except those of trusted proxies, which carry many callers. */
export function createConnectionCounts(limit: number, isTrustedProxy: IsTrustedProxy): ConnectionCounts {
  const counts = new Map<string, number>()
  return {
    open: (remoteAddress) => {
      const address = unmapAddress(remoteAddress ?? '')
      if (isTrustedProxy(address)) return () => {}
      const network = networkOf(address)
      const count = (counts.get(network) ?? 0) + 1
      if (count > limit) return undefined
      counts.set(network, count)
      return () => {
        const left = (counts.get(network) ?? 1) - 1
        if (left === 0) counts.delete(network)
        else counts.set(network, left)
      }
    },
  }
}

/** Closes new connections of an address that has `limit` open, except those of trusted proxies. */
export function createConnectionCap(limit: number, isTrustedProxy: IsTrustedProxy): (socket: Socket) => void {
  const counts = createConnectionCounts(limit, isTrustedProxy)
  return (socket) => {
    const onClose = counts.open(socket.remoteAddress)
    if (onClose === undefined) return void socket.destroy()
    socket.once('close', onClose)
  }
}
