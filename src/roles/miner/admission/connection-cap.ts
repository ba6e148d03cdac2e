import type { Socket } from 'node:net'
import { type IsTrustedProxy, networkOf, unmapAddress } from '../../../kernel/index.js'

/** Closes new connections of an address that has `limit` open, except those of trusted proxies, which carry many callers. */
export function createConnectionCap(limit: number, isTrustedProxy: IsTrustedProxy): (socket: Socket) => void {
  const counts = new Map<string, number>()
  return (socket) => {
    const address = unmapAddress(socket.remoteAddress ?? '')
    if (isTrustedProxy(address)) return
    const network = networkOf(address)
    const count = (counts.get(network) ?? 0) + 1
    if (count > limit) return void socket.destroy()
    counts.set(network, count)
    socket.once('close', () => {
      const left = (counts.get(network) ?? 1) - 1
      if (left === 0) counts.delete(network)
      else counts.set(network, left)
    })
  }
}
