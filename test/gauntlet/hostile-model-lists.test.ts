import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.js'
import { createMinerAgent, listModels } from '../../src/inference/index.js'
import { createRandom } from '../../src/prompts/index.js'
import { broadcastModels } from '../../src/roles/validator/broadcast.js'
import { servingMiners } from '../roles/validator/round-parts.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { type StreamServer, startStreamServer } from '../support/stream-server.js'
import { GAUNTLET_SCALE, scaled } from './scale.js'

/** F24: 1,000 hostile lists of models, 36 miners at a time. */

const MINERS = 36
const BROADCASTS = scaled(Math.ceil(1000 / MINERS), 2)
const WANTED = ['org/a', 'org/b']
const PIECE = Buffer.alloc(65_536, 0x61)
/** 3.5 s as the figure says; our own fake miners share the processor with the validator here. */
const LIMIT_MS = GAUNTLET_SCALE === 1 ? 3500 : 8000

const HOSTILE: readonly ((response: ServerResponse) => unknown)[] = [
  () => {},
  (response) => drip(response),
  (response) => flood(response.writeHead(200)),
  (response) => flood(response.writeHead(500)),
  (response) => response.end(JSON.stringify(new Array(100_000).fill('org/a'))),
  (response) => response.end(JSON.stringify(Array.from({ length: 513 }, (_, index) => `org/${index}`))),
  (response) => response.end(`["${'x'.repeat(100_000)}"]`),
  (response) => response.end('{"__proto__":["org/a"],"length":2,"0":"org/a"}'),
  (response) => response.end('[["org/a"],{"id":"org/a"},null,1e999,true]'),
  (response) => response.end('org/a'),
  (response) => response.end('["org/a"'),
  (response) => response.end('['.repeat(100_000)),
  (response) => response.end(''),
  (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('["org/a"]'),
  (response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
  (response) => response.writeHead(200, { 'content-length': '1000' }).write('["org/a"]'),
  (response) => response.socket?.resetAndDestroy(),
  (response) =>
    response.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 10\r\n\r\n["org/a"]'),
]

function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write(' '), 50)
  response.on('close', () => clearInterval(timer))
}

function flood(response: ServerResponse): void {
  const more = () => {
    while (!response.destroyed && response.write(PIECE));
    if (!response.destroyed) response.once('drain', more)
  }
  more()
}

let server: StreamServer
let kinds: readonly number[] = []
beforeAll(async () => {
  server = await startStreamServer((response, { method, headers }) => {
    const uid = Number(/\d+$/.exec(String(headers['epistula-signed-for']))?.[0])
    const kind = kinds[uid]
    if (kind === undefined) return response.end(method === 'GET' ? '["org/b","org/a","org/c"]' : '""')
    return HOSTILE[kind]?.(response)
  })
})
afterAll(() => server?.close())

test('36 miners of which nearly all are hostile: in time, in bounded memory, none believed, the honest heard', async () => {
  const random = createRandom('lists')
  const miners = servingMiners(MINERS, Number(new URL(server.url).port))
  const signer = await hotkeyOf(200)
  const ask = async () => {
    const startedAt = performance.now()
    const { signal } = new AbortController()
    const lists = await broadcastModels(
      miners,
      { clock: systemClock, signer, wanted: WANTED, announce: true },
      signal,
    )
    return { ms: performance.now() - startedAt, lists }
  }
  await ask()
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  let peak = before
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss)
  }, 20)
  for (let broadcast = 0; broadcast < BROADCASTS; broadcast++) {
    // Uids 1 and 2 stay honest.
    kinds = Array.from({ length: MINERS + 1 }, (_, uid) =>
      uid < 3 ? Number.NaN : (uid + random.integer(0, HOSTILE.length - 1)) % HOSTILE.length,
    ).map((kind) => (Number.isNaN(kind) ? undefined : kind)) as number[]
    const { ms, lists } = await ask()
    expect(ms).toBeLessThan(LIMIT_MS)
    expect(
      [...lists.keys()].filter(
        (hotkey) => !/Miner[12]$/.test(hotkey) && (lists.get(hotkey) ?? []).length > 0,
      ),
    ).toEqual([])
    expect(lists.get('5Miner1')).toEqual(WANTED)
  }
  clearInterval(timer)
  // The fake miners, which send megabytes, live in this process too.
  expect(peak - before).toBeLessThan((GAUNTLET_SCALE === 1 ? 32 : 64) << 20)
})

test('the check can fail: asked one after the other, as 4.4.1 did, two silent ones alone take longer', async () => {
  kinds = [0, 0, 0]
  const dispatcher = createMinerAgent()
  const signer = await hotkeyOf(200)
  const startedAt = performance.now()
  for (const uid of [1, 2])
    await listModels({ url: server.url, hotkey: `5Miner${uid}` }, { clock: systemClock, signer, dispatcher })
  await dispatcher.destroy()
  expect(performance.now() - startedAt).toBeGreaterThan(3500)
})
