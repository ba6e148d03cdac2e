import type { Socket } from 'node:net'
import { Agent, buildConnector } from 'undici'

/** Bytes received on one connection. A stream at its limits, framing included, is less than half of this. */
const WIRE_BYTES = 16 << 20

/**
 * Connections to miners: any number of them, with small heads and bounded bytes, because interim responses and chunk
 * extensions never reach the limits of a stream. Deadlines are set by the callers; undici's own connect timeout only ends
 * attempts that no caller waits for any more.
 *
 * @param wireBytes most bytes received on one connection
 */
export function createMinerAgent(wireBytes = WIRE_BYTES): Agent {
  const connect = buildConnector({ timeout: 10_000, allowH2: false })
  return new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 16 * 1024,
    pipelining: 1,
    allowH2: false,
    connect: (options, connected) =>
      connect(options, (...outcome) => {
        if (outcome[1]) boundBytes(outcome[1], wireBytes)
        connected(...outcome)
      }),
  })
}

function boundBytes(socket: Socket, wireBytes: number): void {
  socket.on('readable', () => {
    if (socket.bytesRead > wireBytes) socket.destroy(new Error(`received more than ${wireBytes} bytes`))
  })
}
