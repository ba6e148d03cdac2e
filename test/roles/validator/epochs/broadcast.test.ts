import type { ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../../../src/kernel/clock.js'
import { broadcastModels } from '../../../../src/roles/validator/epochs/broadcast.js'
import type { ServingMiner } from '../../../../src/roles/validator/subnet/subnet-view.js'
import { neuronOf } from '../../../support/fake-subtensor.js'
import { hotkeyOf } from '../../../support/hotkeys.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { type Answering, type StreamServer, startStreamServer } from '../../../support/stream-server.js'

const servers: StreamServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function minerWith(hotkey: string, answer: Answering): Promise<ServingMiner> {
  const server = await startStreamServer(answer)
  servers.push(server)
  const axon = {
    ip: '127.0.0.1',
    port: Number(new URL(server.url).port),
    ipType: 4,
    protocol: 4,
    version: 1,
    block: 1,
  } as const
  return { ...neuronOf({ uid: 1, hotkey }), axon }
}

const WANTED = ['org/a', 'org/b']
const options = async () => ({
  clock: systemClock,
  signer: await hotkeyOf(200),
  wanted: WANTED,
  announce: true,
})

/** Sends a byte now and then and never ends. */
function drip(response: ServerResponse): void {
  response.write('[')
  const timer = setInterval(() => response.write(' '), 50)
  response.on('close', () => clearInterval(timer))
}

const HUGE = `["org/a${'x'.repeat(5 << 20)}"]`
const MANY = JSON.stringify(Array.from({ length: 200_000 }, () => 'org/a'))

const HOSTILE: Readonly<Record<string, Answering>> = {
  'never answers': () => {},
  drips: drip,
  'sends megabytes': (response) => response.end(HUGE),
  'sends 200,000 names': (response) => response.end(MANY),
  'sends prototypes': (response) => response.end('{"__proto__": ["org/a"], "length": 1}'),
  'sends no JSON': (response) => response.end('org/a'),
  'claims compression': (response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end('["org/a"]'),
  redirects: (response) => response.writeHead(307, { location: 'http://127.0.0.1:1/models' }).end(),
  'answers 500': (response) => response.writeHead(500).end('["org/a"]'),
  disconnects: (response) => response.socket?.destroy(),
}

test('queries hostile and honest miners together within 3 s and accepts only valid lists', async () => {
  const miners: ServingMiner[] = []
  for (let index = 0; index < 6; index++)
    miners.push(
      await minerWith(`honest${index}`, (response) =>
        response.end('["org/b", "org/b", "__proto__", 7, "org/c", "org/a"]'),
      ),
    )
  for (let index = 0; index < 20; index++) {
    const answers = Object.values(HOSTILE)
    miners.push(await minerWith(`hostile${index}`, answers[index % answers.length]!))
  }
  const startedAt = performance.now()
  const served = await broadcastModels(miners, await options(), new AbortController().signal)
  expect(performance.now() - startedAt).toBeLessThan(15_000)
  expect([...served.keys()].sort()).toEqual([
    'honest0',
    'honest1',
    'honest2',
    'honest3',
    'honest4',
    'honest5',
  ])
  for (const models of served.values()) expect(models).toEqual(WANTED)
})

test('does not follow redirects', async () => {
  const canary = await startStreamServer((response) => response.end('["org/a"]'))
  servers.push(canary)
  for (const status of [301, 302, 303, 307, 308]) {
    const miner = await minerWith('redirects', (response) =>
      response.writeHead(status, { location: canary.url }).end(),
    )
    expect((await broadcastModels([miner], await options(), new AbortController().signal)).size).toBe(0)
  }
  expect(canary.received).toEqual([])
})

test('announces the wanted models to every miner, signed for its hotkey', async () => {
  const bodies: unknown[] = []
  const miner = await minerWith('5Receiver', (response, { method, body, headers }) => {
    if (method === 'POST') bodies.push([JSON.parse(body.toString()), headers['epistula-signed-for']])
    response.end('[]')
  })
  const served = await broadcastModels([miner], await options(), new AbortController().signal)
  expect(bodies).toEqual([[WANTED, '5Receiver']])
  expect(served.get('5Receiver')).toEqual([])
})

test('an announcement outlasts a lost packet, and its miner is still asked for its list', async () => {
  const clock = new ManualClock()
  const miner = await minerWith('5Distant', (response, { method }) => {
    if (method === 'GET') response.end('["org/a"]')
  })
  const [server] = servers
  const asked = broadcastModels([miner], { ...(await options()), clock }, new AbortController().signal)
  await expect.poll(() => server?.received.length).toBe(1)
  await clock.advance(1200)
  expect(server?.open).toBe(1)
  await clock.advance(300)
  expect((await asked).get('5Distant')).toEqual(['org/a'])
})
