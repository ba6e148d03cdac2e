import type { Socket } from 'node:net'

/** Smaller buffers come from Node's pool at almost no cost; larger ones are separate allocations to be collected. */
const LARGE_BYTES = Buffer.poolSize >>> 1

const CAPACITY = (64 << 10) + 32

let outbox = Buffer.allocUnsafeSlow(CAPACITY)
let lastUser: Socket | undefined

/**
 * A buffer for bytes about to be written to a socket. Large writes share one: nearly every socket takes all bytes at once
 * and no longer needs the buffer when the write returns; one that does not keeps it, and the next writes get another.
 *
 * @param socket undefined when it is not known yet where the bytes will go.
 */
export function writeBuffer(socket: Socket | undefined | null, bytes: number): Buffer {
  const isShared = socket && bytes >= LARGE_BYTES && bytes <= CAPACITY && socket.writableLength === 0
  if (!isShared) return Buffer.allocUnsafe(bytes)
  if (lastUser !== undefined && lastUser.writableLength > 0) outbox = Buffer.allocUnsafeSlow(CAPACITY)
  lastUser = socket
  return outbox.subarray(0, bytes)
}
