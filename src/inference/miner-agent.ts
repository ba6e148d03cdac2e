import type { Socket } from 'node:net'
import { Agent, buildConnector } from 'undici'

/** Bytes of one connection, whatever they are: a stream at its limits in its framing is less than half of it. */
const WIRE_BYTES = 16 << 20

/**
 * Connections to miners: no limit on how many, small heads, no end of bytes that never become an answer (interim responses,
 * extensions of chunks), and no deadlines of undici's own but one that ends a connection attempt nobody waits for any more.
 */
export function createMinerAgent(): Agent {
  const connect = buildConnector({ timeout: 10_000, allowH2: false })
  return new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 16 * 1024,
    pipelining: 1,
    allowH2: false,
    connect: (options, connected) =>
      connect(options, (...outcome) => {
        if (outcome[1]) boundBytes(outcome[1])
        connected(...outcome)
      }),
  })
}

function boundBytes(socket: Socket): void {
  socket.on('readable', () => {
    if (socket.bytesRead > WIRE_BYTES) socket.destroy(new Error(`more than ${WIRE_BYTES} bytes were sent`))
  })
}
