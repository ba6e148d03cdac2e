import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Neuron } from '../../../src/chain/index.js'
import { systemClock } from '../../../src/kernel/clock.js'
import { describeSelf, findSelf, listOwnModels, type QueryReply } from '../../../src/roles/query/index.js'
import { createFakeSubtensor, neuronOf } from '../../support/fake-subtensor.js'
import { hotkeyOf } from '../../support/hotkeys.js'

const axon = { ip: '45.33.32.11', port: 8091, ipType: 4, protocol: 4, version: 0, block: 120 } as const

async function metagraphOf(neuron: Partial<Neuron>) {
  const neurons = [
    neuronOf({ uid: 0, hotkey: '5Other' }),
    neuronOf({ uid: 1, hotkey: '5Own', axon, ...neuron }),
  ]
  return await createFakeSubtensor(neurons).metagraph(4)
}

describe('findSelf', () => {
  it('returns the announced address of the own hotkey', async () => {
    expect(findSelf(await metagraphOf({}), '5Own', false)).toEqual({
      ...{ uid: 1, hotkey: '5Own', url: 'http://45.33.32.11:8091', announcedAtBlock: 120, warnings: [] },
    })
  })

  it.each([
    ['5Stranger', {}, 'HOTKEY_NOT_REGISTERED'],
    ['5Own', { axon: undefined }, 'AXON_NOT_ANNOUNCED'],
    ['5Own', { axon: { ...axon, port: 0 } }, 'AXON_NOT_ANNOUNCED'],
  ])('refuses %s with %j', async (hotkey, neuron, code) => {
    const metagraph = await metagraphOf(neuron)
    expect(() => findSelf(metagraph, hotkey, false)).toThrow(expect.objectContaining({ code }))
  })

  it('warns of what makes validators pass the miner over', async () => {
    const hidden = await metagraphOf({
      axon: { ...axon, ip: '10.0.0.7' },
      validatorPermit: true,
      stakeTao: 5000,
    })
    const warnings = [expect.stringContaining('not public'), expect.stringContaining('counts as a validator')]
    expect(findSelf(hidden, '5Own', false).warnings).toEqual(warnings)
    expect(findSelf(hidden, '5Own', true).warnings).toHaveLength(1)
  })
})

describe('listOwnModels', () => {
  let status = 200
  const server = createServer((_, response) => response.writeHead(status).end('{"detail":"no"}'))
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
  afterAll(() => server.close())

  it.each([
    [401, /refuses its own hotkey/],
    [400, /Check the clock/],
    [500, /log of the miner/],
  ])('says what to do when the address answers %i', async (answered, next) => {
    status = answered
    const { port } = server.address() as AddressInfo
    await expect(ask(port)).rejects.toMatchObject({
      code: 'SELF_UNREACHABLE',
      next: expect.stringMatching(next),
    })
  })

  it('says what to check when nothing answers', async () => {
    await expect(ask(1)).rejects.toMatchObject({
      code: 'SELF_UNREACHABLE',
      next: expect.stringContaining('--axon.external_ip'),
    })
  })

  async function ask(port: number): Promise<readonly string[]> {
    const signer = await hotkeyOf(1)
    const self = {
      uid: 1,
      hotkey: signer.address,
      url: `http://127.0.0.1:${port}`,
      announcedAtBlock: 1,
      warnings: [],
    }
    const { signal } = new AbortController()
    return await listOwnModels(self, { signer, clock: systemClock, signal, timeoutMs: 5000 })
  }
})

describe('describeSelf', () => {
  const self = { uid: 1, hotkey: '5Own', url: 'http://a:1', announcedAtBlock: 120, warnings: [] }
  const reply = {
    miner: self,
    request: { model: 'org/a' },
    answer: { tokens: [1, 2], timing: { timeToFirstTokenMs: 210 }, tokensPerSecond: 83.14, status: 200 },
  } as unknown as QueryReply

  it('tells what a validator would see, and what a verdict needs', () => {
    expect(describeSelf(self, ['org/a', 'org/b'], reply)).toEqual([
      ['hotkey', '5Own, uid 1'],
      ['address', 'http://a:1, announced at block 120'],
      ['models', 'org/a, org/b'],
      ['answer', '2 tokens of org/a, first after 0.21 s, 83.1 tokens/s'],
      ['verdict', 'none, for want of a reference: set --engine.endpoints org/a=http://…/v1'],
    ])
  })

  it('gives the cause of an answer that fails', () => {
    const fault = { cause: 'BAD_STREAM', detail: 'no token ids' }
    const failed = { ...reply, answer: { ...reply.answer, fault } } as QueryReply
    expect(describeSelf(self, ['org/a'], failed).slice(3)).toEqual([
      ['answer', 'no token ids'],
      ['verdict', 'failed: BAD_STREAM'],
    ])
  })
})
