import { createServer } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import type { SubtensorClient } from '../../src/chain/index.js'
import { openRpc } from '../../src/chain/rpc.js'
import { systemClock } from '../../src/kernel/clock.js'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { type Subnet, startSubnet } from './subnet.js'

let subnet: Subnet
let proxies: FaultProxy[]

beforeEach(async () => {
  subnet = await startSubnet({ sealing: 'interval', blockTimeMs: 100 })
  proxies = [await startFaultProxy(subnet.dev.url), await startFaultProxy(subnet.dev.url)]
})

afterEach(async () => {
  await subnet.close()
  for (const proxy of proxies) await proxy.close()
})

const endpoints = () => proxies.map(({ url }) => url)

/** Resolves with the first head above the present one. */
async function nextHead(chain: SubtensorClient): Promise<number> {
  const from = chain.head().number
  const end = new AbortController()
  for await (const { number } of chain.blocks(end.signal)) {
    if (number > from + 1) return number
  }
  throw new Error('the stream ended')
}

describe('a lost connection is replaced by the next endpoint (T-C1)', () => {
  it.each(['reset', 'close'] as const)(
    'heads go on after a %s, without the same number twice',
    async (how) => {
      const chain = await subnet.connect({ endpoints: endpoints() })
      const seen: number[] = []
      const end = new AbortController()
      const reading = (async () => {
        for await (const { number } of chain.blocks(end.signal)) seen.push(number)
      })()
      await nextHead(chain)
      if (proxies[0]) proxies[0].mode = 'refuse'
      proxies[0]?.drop(how)
      // What was on its way may still come by the old connection.
      await expect.poll(() => chain.endpoint).toBe(proxies[1]?.url)
      await nextHead(chain)
      expect(chain.reconnects).toBe(1)
      end.abort()
      await reading
      expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b))
    },
  )

  it('a black hole is left once its head is too old', async () => {
    const chain = await subnet.connect({ endpoints: endpoints(), headTimeoutMs: 700 })
    await nextHead(chain)
    if (proxies[0]) proxies[0].mode = 'silent'
    await expect.poll(() => chain.endpoint).toBe(proxies[1]?.url)
    await nextHead(chain)
    expect(subnet.log.lines).toContainEqual(
      expect.objectContaining({
        event: 'chain-disconnected',
        fields: expect.objectContaining({ reason: expect.stringMatching(/no new head/) }),
      }),
    )
  })

  it('a read that hangs is answered by the next endpoint', async () => {
    const chain = await subnet.connect({ endpoints: endpoints(), rpcTimeoutMs: 3000 })
    await nextHead(chain)
    if (proxies[0]) proxies[0].mode = 'silent'
    const metagraph = await chain.metagraph(4)
    expect(metagraph.neurons).toHaveLength(4)
    expect(chain.endpoint).toBe(proxies[1]?.url)
  })

  it('all endpoints down: reads fail in time, and heads return with the first that comes back', async () => {
    const chain = await subnet.connect({ endpoints: endpoints(), rpcTimeoutMs: 3000 })
    for (const proxy of proxies) {
      proxy.mode = 'refuse'
      proxy.drop('reset')
    }
    await expect(chain.metagraph(4)).rejects.toMatchObject({ fault: 'unreachable' })
    if (proxies[1]) proxies[1].mode = 'pass'
    await nextHead(chain)
    expect((await chain.metagraph(4)).neurons).toHaveLength(4)
  })

  it('an aborted read ends with the abort, not with a failure', async () => {
    const chain = await subnet.connect({ endpoints: endpoints() })
    if (proxies[0]) proxies[0].mode = 'silent'
    const end = new AbortController()
    const reading = chain.metagraph(4, end.signal)
    end.abort()
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('a chain whose head stands still', () => {
  it('is noticed by the age of the head, though the endpoint answers', async () => {
    const still = await startSubnet({ sealing: 'manual' })
    try {
      const chain = await still.connect({ endpoints: [still.dev.url], headTimeoutMs: 300 })
      await expect.poll(() => chain.reconnects).toBeGreaterThan(0)
    } finally {
      await still.close()
    }
  })
})

describe('extrinsics', () => {
  it('take another endpoint when the reading one refuses new connections', async () => {
    const chain = await subnet.connect({ endpoints: endpoints() })
    await nextHead(chain)
    if (proxies[0]) proxies[0].mode = 'refuse'
    const result = await chain.serveAxon(await hotkeyOf(2), { netuid: 4, ip: '10.0.0.1', port: 1 })
    expect(result).toMatchObject({ kind: 'served' })
    expect(chain.endpoint).toBe(proxies[0]?.url)
  })

  it('use a connection of their own', async () => {
    const chain = await subnet.connect({ endpoints: endpoints() })
    await nextHead(chain)
    const before = proxies[0]?.accepted ?? 0
    await chain.serveAxon(await hotkeyOf(2), { netuid: 4, ip: '10.0.0.1', port: 1 })
    expect(proxies[0]?.accepted).toBe(before + 1)
  })
})

describe('an endpoint that talks nonsense', () => {
  const nonsense: [string, string | Buffer][] = [
    ['no JSON', 'hello'],
    ['binary', Buffer.from([0xff, 0x00, 0xfe])],
    ['an array', '[1, 2]'],
    ['a wrong id type', '{"jsonrpc":"2.0","id":{},"result":1}'],
    ['a notice without subscription', '{"jsonrpc":"2.0","method":"x","params":{"result":1}}'],
  ]
  it.each(nonsense)('%s ends the connection, not the process', async (_, message) => {
    const server = createServer()
    const sockets = new WebSocketServer({ server })
    sockets.on('connection', (socket) => socket.on('message', () => socket.send(message)))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    const { port } = server.address() as { port: number }
    const rpc = await openRpc(`ws://127.0.0.1:${port}`, { clock: systemClock, rpcTimeoutMs: 5000 })
    await expect(rpc.request('system_chain', [])).rejects.toMatchObject({ code: 'CHAIN_CONNECTION_LOST' })
    expect(await rpc.closed).toMatch(/not JSON-RPC/)
    await expect(rpc.request('system_chain', [])).rejects.toMatchObject({ code: 'CHAIN_CONNECTION_LOST' })
    sockets.close()
    server.close()
  })

  it('a message beyond the limit ends the connection', async () => {
    const server = createServer()
    const sockets = new WebSocketServer({ server })
    sockets.on('connection', (socket) =>
      socket.on('message', () => socket.send('x'.repeat(33 * 1024 * 1024))),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    const { port } = server.address() as { port: number }
    const rpc = await openRpc(`ws://127.0.0.1:${port}`, { clock: systemClock, rpcTimeoutMs: 15_000 })
    await expect(rpc.request('system_chain', [])).rejects.toMatchObject({ code: 'CHAIN_CONNECTION_LOST' })
    sockets.close()
    server.close()
  })

  it('a request that is never answered ends at its deadline', async () => {
    const server = createServer()
    const sockets = new WebSocketServer({ server })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    const { port } = server.address() as { port: number }
    const rpc = await openRpc(`ws://127.0.0.1:${port}`, { clock: systemClock, rpcTimeoutMs: 5000 })
    await expect(rpc.request('system_chain', [], { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'DEADLINE',
    })
    rpc.close()
    sockets.close()
    server.close()
  })
})
