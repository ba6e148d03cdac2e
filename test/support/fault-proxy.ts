import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * A TCP relay that misbehaves on demand:
 *
 * - `pass` relays
 * - `silent` keeps connections open and drops what the server sends (black hole)
 * - `refuse` resets every new connection at once and relays the open ones
 * - `busy` answers every new connection with HTTP 429 and relays the open ones
 */
export type FaultMode = 'pass' | 'silent' | 'refuse' | 'busy'

export interface FaultProxy {
  readonly url: string
  mode: FaultMode
  /** Connections accepted so far. */
  readonly accepted: number
  /** Ends open connections: by RST, or by an orderly close. */
  drop(how: 'reset' | 'close'): void
  close(): Promise<void>
}

/** Relays to a ws:// address. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let mode: FaultMode = 'pass'
  let accepted = 0
  const server = createServer((client) => {
    accepted++
    client.on('error', () => {})
    if (mode === 'refuse') {
      client.resetAndDestroy()
      return
    }
    if (mode === 'busy') {
      const reply = 'HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'
      client.end(reply, () => client.destroy())
      return
    }
    const upstream = connect(Number(port), hostname)
    upstream.on('error', () => client.destroy())
    sockets.add(client)
    client.on('close', () => {
      sockets.delete(client)
      upstream.destroy()
    })
    upstream.on('close', () => client.destroy())
    client.pipe(upstream)
    upstream.on('data', (chunk) => {
      if (mode !== 'silent') client.write(chunk)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get mode() {
      return mode
    },
    set mode(next) {
      mode = next
    },
    get accepted() {
      return accepted
    },
    drop(how) {
      for (const socket of sockets) {
        if (how === 'reset') socket.resetAndDestroy()
        else socket.end()
      }
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
