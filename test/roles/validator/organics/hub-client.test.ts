import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { connectHub } from '../../../../src/roles/validator/organics/hub-client.js'
import type { Signer } from '../../../../src/wallet/index.js'
import { hotkeyOf } from '../../../support/hotkeys.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { type Answering, startStreamServer } from '../../../support/stream-server.js'

let signer: Signer
const closers: (() => Promise<unknown>)[] = []
beforeAll(async () => {
  signer = await hotkeyOf(1)
})
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

function clientOf(url: string) {
  const clock = new ManualClock()
  const client = connectHub(url, signer, clock)
  closers.push(() => client.close())
  const ask = (body: unknown = []) => client.post('/organics', body, new AbortController().signal)
  return { clock, ask }
}

async function hubThat(answer: Answering) {
  const server = await startStreamServer(answer)
  closers.push(() => server.close())
  return { server, ...clientOf(server.url) }
}

/** Writes as long as the reader reads. */
function flood(response: Parameters<Answering>[0], piece: string): void {
  const more = () => {
    while (!response.destroyed) if (!response.write(piece)) return void response.once('drain', more)
  }
  more()
}

test.each([
  ['without end', 'a'.repeat(1 << 16), /more than 67108864 bytes/],
  ['of two bytes per value', '0,'.repeat(1 << 15), /more than 2000000 values/],
  ['of empty objects', '{},'.repeat(1 << 14), /more than 2000000 values/],
  [
    'of very many models',
    `{"bucket_id":"b","organics":{${Array.from({ length: 200_000 }, (_, n) => `"m${n}":[]`).join(',')}}}`,
    /more than 1000 members at level 2/,
  ],
  ['of nested lists', '['.repeat(1 << 14), /nested deeper than 64/],
])('aborts an answer %s before parsing it', async (_, piece, error) => {
  const { ask, server } = await hubThat((response) => flood(response, piece))
  await expect(ask()).rejects.toThrow(error)
  await expect.poll(() => server.open).toBe(0)
})

test('reads a bucket of a thousand models, and many members further inside', async () => {
  const organics = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`m${n}`, [[0], [0]]]))
  const text = JSON.stringify({ bucket_id: 'b', organics: { ...organics, m0: Array(5000).fill({ a: 0 }) } })
  const { ask } = await hubThat((response) => response.end(text))
  expect(await ask()).toEqual({ status: 200, text })
})

test('does not count brackets and commas within strings', async () => {
  const text = JSON.stringify([`${'[,{"\\'.repeat(1_000_000)}é`])
  const { ask } = await hubThat((response) => response.end(text))
  expect(await ask()).toEqual({ status: 200, text })
})

test('does not follow redirects or decode compressed answers', async () => {
  const inner = await startStreamServer((response) => response.end('{}'))
  closers.push(() => inner.close())
  const away = await hubThat((response) => response.writeHead(307, { location: inner.url }).end())
  expect(await away.ask()).toMatchObject({ status: 307 })
  expect(inner.received).toHaveLength(0)
  const bomb = gzipSync('{"bucket_id":null,"organics":{}}')
  const packed = await hubThat((response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
  )
  expect((await packed.ask()).text).not.toContain('bucket_id')
})

test.each<[string, Answering]>([
  ['never answers', () => {}],
  ['sends half a head', (response) => response.socket?.write('HTTP/1.1 200 OK\r\nx-')],
  ['sends hints without end', (response) => response.writeEarlyHints({ link: '</a>; rel=preload' })],
  ['drips its body', (response) => response.writeHead(200, { 'content-length': 1000 }).write('{')],
])('gives up after a minute on a hub that %s', async (_, answer) => {
  const { ask, clock, server } = await hubThat(answer)
  const result = ask().catch((error: Error) => error.message)
  await expect.poll(() => server.received).toHaveLength(1)
  await clock.advance(60_000)
  expect(await result).toMatch(/did not finish within 60 s/)
  await expect.poll(() => server.open).toBe(0)
})

test('gives up after a minute on a hub that does not read', async () => {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket.pause().on('error', () => {})))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closers.push(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as { port: number }
  const { ask, clock } = clientOf(`http://127.0.0.1:${port}`)
  const result = ask(Buffer.alloc(32 << 20, 0x20)).catch((error: Error) => error.message)
  await expect.poll(() => sockets).toHaveLength(1)
  await clock.advance(60_000)
  expect(await result).toMatch(/did not finish within 60 s/)
})
