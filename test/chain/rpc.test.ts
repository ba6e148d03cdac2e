import { createServer } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { openRpc, type Rpc } from '../../src/chain/rpc.js'
import { systemClock } from '../../src/kernel/clock.js'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** A connection to a server that reacts to every message in this way. */
async function openTo(onMessage: (socket: WebSocket) => void, rpcTimeoutMs = 5000): Promise<Rpc> {
  const server = createServer()
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => socket.on('message', () => onMessage(socket)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  closers.push(() => {
    sockets.close()
    server.close()
  })
  const { port } = server.address() as { port: number }
  return openRpc(`ws://127.0.0.1:${port}`, { clock: systemClock, rpcTimeoutMs })
}

describe('openRpc', () => {
  const invalid: [string, string | Buffer][] = [
    ['text', 'hello'],
    ['binary data', Buffer.from([0xff, 0x00, 0xfe])],
    ['an array', '[1, 2]'],
    ['nested lists', `{"jsonrpc":"2.0","id":1,"result":${'['.repeat(64)}${']'.repeat(64)}}`],
    ['an id of the wrong type', '{"jsonrpc":"2.0","id":{},"result":1}'],
    ['a notice without a subscription', '{"jsonrpc":"2.0","method":"x","params":{"result":1}}'],
  ]
  it.each(invalid)('ends the connection when the endpoint sends %s', async (_, message) => {
    const rpc = await openTo((socket) => socket.send(message))
    await expect(rpc.request('system_chain', [])).rejects.toMatchObject({ code: 'CHAIN_CONNECTION_LOST' })
    expect(await rpc.closed).toMatch(/not JSON-RPC/)
    await expect(rpc.request('system_chain', [])).rejects.toMatchObject({ code: 'CHAIN_CONNECTION_LOST' })
  })

  it('ends the connection when a message is too long', async () => {
    const rpc = await openTo((socket) => socket.send('x'.repeat(33 * 1024 * 1024)), 15_000)
    await expect(rpc.request('system_chain', [])).rejects.toMatchObject({ code: 'CHAIN_CONNECTION_LOST' })
  })

  it('ends an unanswered request at its deadline', async () => {
    const rpc = await openTo(() => {})
    await expect(rpc.request('system_chain', [], { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'DEADLINE',
    })
    rpc.close()
  })
})
