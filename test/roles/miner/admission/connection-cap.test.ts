import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { readTrustedProxies } from '../../../../src/kernel/caller-address.js'
import { createConnectionCap } from '../../../../src/roles/miner/admission/connection-cap.js'

const PROXY = '127.0.0.9'

let server: Server
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
})

/** @returns whether the connection was kept. */
async function call(localAddress: string): Promise<boolean> {
  const { port } = server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  sockets.push(socket)
  const isKept = await Promise.race([
    once(socket, 'data').then(() => true),
    once(socket, 'close').then(() => false),
  ])
  return isKept
}

it('limits the connections per address, and never those of a trusted proxy', async () => {
  server = createServer()
  server.on('connection', createConnectionCap(2, readTrustedProxies([PROXY])))
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    if (!socket.destroyed) socket.write('kept')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const keptOf = async (address: string, count: number) => {
    const kept: boolean[] = []
    for (let index = 0; index < count; index++) kept.push(await call(address))
    return kept
  }
  expect(await keptOf('127.0.0.1', 3)).toEqual([true, true, false])
  expect(await keptOf('127.0.0.2', 3)).toEqual([true, true, false])
  expect(await keptOf(PROXY, 5)).toEqual([true, true, true, true, true])
  sockets[0]?.destroy()
  await expect.poll(() => call('127.0.0.1')).toBe(true)
  expect(await call('127.0.0.1')).toBe(false)
})
