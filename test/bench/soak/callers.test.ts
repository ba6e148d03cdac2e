import type { AddressInfo, Server } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CALLER_SEEDS, chatBody, FAULTS, type Fault, sendFault, signed } from '../../../bench/soak/callers.js'
import { createUpstream } from '../../../bench/soak/upstream.js'
import { hotkeyOf } from '../../support/hotkeys.js'
import { type MinerRig, startMinerRig } from '../../support/miner-rig.js'

let upstream: Server
let rig: MinerRig

beforeAll(async () => {
  upstream = createUpstream()
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const { port } = upstream.address() as AddressInfo
  rig = await startMinerRig({ settings: { 'model-endpoint': [`http://127.0.0.1:${port}/v1`] } })
  await rig.healthy
})
afterAll(async () => {
  await rig.close()
  upstream.close()
})

const send = async (fault: Fault) =>
  sendFault(Number(new URL(rig.url).port), fault, {
    ...{ signer: await hotkeyOf(CALLER_SEEDS[0]), miner: rig.miner, nowMs: Date.now() },
  })

/** What the miner answers to each fault. */
const ANSWERS: Readonly<Record<Fault, string>> = {
  'bad signature': '400',
  replay: '400',
  'stale timestamp': '400',
  'oversize body': '413',
  'nested body': '400',
  'unknown path': '404',
  'caller leaves mid-stream': '200',
  'half-sent head': 'left',
  'slow sender': '200',
  'upstream 429': '429',
  'upstream 500': '500',
  'upstream reset': '200',
  'upstream garbage': '502',
}

test.each(FAULTS)('the miner answers "%s" with the right status', async (fault) => {
  expect(await send(fault)).toBe(ANSWERS[fault])
})

test('the miner counts each refusal under its own code', async () => {
  const response = await fetch(`${rig.statusUrl}/status`)
  const { refusals } = (await response.json()) as { refusals: Record<string, number> }
  expect(refusals).toMatchObject({
    ...{ SIGNATURE_MISMATCH: 1, REPLAYED: 1, STALE: 1, BODY_TOO_LARGE: 1, BODY_TOO_COMPLEX: 1, NOT_FOUND: 1 },
  })
})

test('a request has the headers of its connection and the length of its body', () => {
  const signing = { signer: rig.validator, miner: rig.miner, nowMs: Date.now() }
  const { head, body } = signed(signing, chatBody(), { keep: true })
  expect(head).toContain(`content-length: ${body.length}\r\n`)
  expect(head).toContain('connection: keep-alive\r\n')
})
