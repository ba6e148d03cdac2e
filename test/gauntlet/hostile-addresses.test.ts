import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createMinerAgent, listModels, prepareRequest, sendPrepared } from '../../src/inference/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { originOf } from '../../src/roles/validator/subnet/origin.js'
import { createRig } from '../roles/validator/validator-rig.js'
import { neuronOf } from '../support/fake-subtensor.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { type StreamServer, startStreamServer } from '../support/stream-server.js'
import { startTally } from './tally.js'

/** F29: miners that direct the validator to its own network, by their address or by a redirect. */

const ADDRESSES = [
  ...[
    '127.0.0.1',
    '127.0.0.2',
    '127.1.2.3',
    '127.255.255.254',
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '10.255.255.255',
  ],
  ...['100.64.0.1', '100.127.255.255', '169.254.169.254', '169.254.1.1', '172.16.0.1', '172.31.255.254'],
  ...[
    '192.0.0.1',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
    '192.168.255.255',
    '198.18.0.1',
    '198.19.255.255',
  ],
  ...['198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
  ...['::', '::1', '::127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:169.254.169.254'],
  ...[
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    'fc00::1',
    'fd00::1',
    'fe80::1',
    'fec0::1',
    'ff02::1',
  ],
] as const
const REDIRECTS = [301, 302, 303, 307, 308]

/** Listens on all addresses of this machine and counts requests. */
const canary = createServer((_, response) => {
  hits++
  response.end('["org/tiny"]')
})
let hits = 0
let port = 0
let redirecting: StreamServer
let answerWith = { status: 307, location: '' }

beforeAll(async () => {
  await new Promise<void>((resolve) => canary.listen(0, '::', resolve))
  port = (canary.address() as AddressInfo).port
  redirecting = await startStreamServer((response) =>
    response.writeHead(answerWith.status, { location: answerWith.location }).end(),
  )
})
afterAll(async () => {
  await redirecting?.close()
  canary.closeAllConnections()
  await new Promise((resolve) => canary.close(resolve))
})

/** Runs a validator with miners at all these addresses until it skips or finishes a round. @returns requests received. */
async function runAgainst(allow: boolean): Promise<number> {
  hits = 0
  const rig = await createRig([], { 'allow-private-axons': allow, 'epoch-length': 30 })
  for (const [index, ip] of ADDRESSES.entries()) {
    const axon = { ip, port, ipType: ip.includes(':') ? 6 : 4, protocol: 4, version: 1, block: 1 } as const
    rig.chain.neurons.push(neuronOf({ uid: index + 1, hotkey: (await hotkeyOf(index + 1)).address, axon }))
  }
  try {
    const validator = await rig.start()
    await rig.logged(({ event }) => event === (allow ? 'verdict' : 'round-skipped'))
    rig.chain.grow(121)
    await rig.logged(({ event }) => event === 'miners-polled')
    await validator.stop()
  } finally {
    await rig.dispose()
  }
  return hits
}

test(`never connects to any of ${ADDRESSES.length} private or reserved addresses`, async ({ task }) => {
  const full = ADDRESSES.length
  const tally = startTally(task, { fault: 'F29', kind: 'miners at private or reserved addresses', full })
  expect(ADDRESSES.length).toBeGreaterThanOrEqual(40)
  expect(await runAgainst(false)).toBe(0)
  tally.count = full
})

test('control: queries the same addresses when they are allowed', async () => {
  expect(await runAgainst(true)).toBeGreaterThan(0)
})

test('follows no redirect to them, neither from an answer nor from a model list', async ({ task }) => {
  const full = REDIRECTS.length * ADDRESSES.length
  const tally = startTally(task, { fault: 'F29', kind: 'redirects to such addresses', full })
  const signer = await hotkeyOf(200)
  const target = { url: redirecting.url, hotkey: signer.address }
  const dispatcher = createMinerAgent()
  const request = { endpoint: 'chat', model: 'm', temperature: 0, maxTokens: 8, messages: [] } as const
  hits = 0
  for (const status of REDIRECTS) {
    for (const ip of ADDRESSES) {
      answerWith = { status, location: `${originOf({ ip, port })}/models` }
      const prepared = prepareRequest(request, target, { signer, clock: systemClock })
      const answer = await sendPrepared(prepared, { clock: systemClock, dispatcher })
      expect(answer.fault?.cause).toBe('REDIRECT')
      expect((await listModels(target, { signer, clock: systemClock, dispatcher })).kind).not.toBe('models')
    }
  }
  await dispatcher.destroy()
  expect(hits).toBe(0)
  tally.count = full
  // control: Node's built-in client does follow it
  answerWith = { status: 307, location: `http://127.0.0.1:${port}/` }
  await (await fetch(redirecting.url, { method: 'POST', body: '{}' })).text()
  expect(hits).toBe(1)
})
