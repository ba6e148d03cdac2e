import type { Socket } from 'node:net'

/** Smaller ones come from Node's pool and cost next to nothing; a larger one is memory of its own, and work for the collector. */
const LARGE_BYTES = Buffer.poolSize >>> 1

const CAPACITY = (64 << 10) + 32

let outbox = Buffer.allocUnsafeSlow(CAPACITY)
let lastUser: Socket | undefined

/**
 * Room for bytes that are about to be written to a socket. Large writes share one buffer: a socket that takes all at once,
 * as nearly all do, is done with it when the write returns, and whoever is not keeps it while the next ones get another.
 *
 * @param socket undefined when it is not known yet where the bytes will go.
 */
export function roomFor(socket: Socket | undefined | null, bytes: number): Buffer {
  const isShared = socket && bytes >= LARGE_BYTES && bytes <= CAPACITY && socket.writableLength === 0
  if (!isShared) return Buffer.allocUnsafe(bytes)
  if (lastUser !== undefined && lastUser.writableLength > 0) outbox = Buffer.allocUnsafeSlow(CAPACITY)
  lastUser = socket
  return outbox.subarray(0, bytes)
}
