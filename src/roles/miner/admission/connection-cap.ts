import type { Socket } from 'node:net'
import { type IsTrustedProxy, plainAddress, shareOf } from './caller-address.js'

/** Closes new connections of an address that has `most` open, unless a trusted proxy stands for many callers there. */
export function createConnectionCap(most: number, isTrustedProxy: IsTrustedProxy): (socket: Socket) => void {
  const counts = new Map<string, number>()
  return (socket) => {
    const address = plainAddress(socket.remoteAddress ?? '')
    if (isTrustedProxy(address)) return
    const share = shareOf(address)
    const count = (counts.get(share) ?? 0) + 1
    if (count > most) return void socket.destroy()
    counts.set(share, count)
    socket.once('close', () => {
      const left = (counts.get(share) ?? 1) - 1
      if (left === 0) counts.delete(share)
      else counts.set(share, left)
    })
  }
}
