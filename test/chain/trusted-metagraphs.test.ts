import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLink, readHead } from '../../src/chain/link.js'
import { createAddressBook, readMetagraph } from '../../src/chain/metagraph.js'
import { TrustedMetagraphs } from '../../src/chain/trusted-metagraphs.js'
import { systemClock } from '../../src/kernel/clock.js'
import { type GenesisNeuron, startDevelopmentChain } from '../../src/localnet/chain/index.js'
import { startFaultProxy } from '../support/fault-proxy.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { aboutItem, type LyingEndpoint, startLyingEndpoint } from '../support/lying-endpoint.js'
import { recordLog, type Subnet, startSubnet } from './subnet.js'

let subnet: Subnet
let liar: LyingEndpoint

beforeEach(async () => {
  subnet = await startSubnet({ sealing: 'manual', weightsSetRateLimit: 0 })
  liar = await startLyingEndpoint(subnet.dev.url)
  for (let made = 0; made < 20; made++) subnet.dev.chain.produceBlock()
})

afterEach(async () => {
  await subnet.close()
  await liar.close()
})

/** From now on the endpoint shows this subnet instead of the real one. */
async function forge(neurons: readonly GenesisNeuron[]): Promise<void> {
  const forged = await startDevelopmentChain({ sealing: 'manual', neurons })
  let indexes: unknown
  liar.lies.set('state_call', (result, [method, input]) => {
    if (method === SELECTIVE) indexes = input
    return result
  })
  const link = await openLink(liar.url, { clock: systemClock, rpcTimeoutMs: 8000 })
  await read(link, 4)
  link.rpc.close()
  const body = { jsonrpc: '2.0', id: 1, method: 'state_call', params: [SELECTIVE, indexes] }
  const answer = await fetch(forged.httpUrl, {
    ...{ method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
  })
  const { result } = (await answer.json()) as { result: string }
  await forged.close()
  liar.lies.set('state_call', (real, [method]) => (method === SELECTIVE ? result : real))
}

const SELECTIVE = 'SubnetInfoRuntimeApi_get_selective_metagraph'

const read = async (link: Awaited<ReturnType<typeof openLink>>, netuid: number) => {
  const { number, hash } = await readHead(link)
  const request = { netuid, block: number, at: { blockHash: hash }, addresses: createAddressBook(), now: 0 }
  return readMetagraph(link.runtime, request)
}

const neurons = (count: number, changes: Partial<GenesisNeuron> = {}): GenesisNeuron[] =>
  Array.from({ length: count }, (_, uid) => {
    const publicKey = subnet.signers[uid]?.publicKey ?? new Uint8Array(32).fill(100 + uid)
    const validator = { stakeTao: uid < 2 ? 1000 : 0, validatorPermit: uid < 2 }
    return { hotkey: publicKey, coldkey: publicKey, ...validator, ...changes }
  })

const forgeries: readonly [what: string, forged: () => GenesisNeuron[]][] = [
  ['neurons', () => neurons(3)],
  ['neurons', () => neurons(60)],
  ['hotkeys', () => neurons(4).map((one, uid) => ({ ...one, hotkey: new Uint8Array(32).fill(200 + uid) }))],
  ['permits', () => neurons(4, { validatorPermit: false })],
  ['stake', () => neurons(4, { stakeTao: 0 })],
]

describe('TrustedMetagraphs: an endpoint that forges a subnet (T-C4)', () => {
  it.each(forgeries)('rejects implausible %s and keeps the last metagraph (case %#)', async (what, of) => {
    const chain = await subnet.connect({ endpoints: [liar.url] })
    await chain.metagraph(4)
    await forge(of())
    const refusal = { code: 'CHAIN_IMPLAUSIBLE', fault: 'chain', facts: expect.objectContaining({ what }) }
    await expect(chain.metagraph(4)).rejects.toMatchObject(refusal)
    expect(subnet.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'metagraph-rejected' }),
    )
    liar.lies.clear()
    expect((await chain.metagraph(4)).neurons).toHaveLength(4)
  })

  it('rejects an endpoint whose height falls', async () => {
    const chain = await subnet.connect({ endpoints: [liar.url] })
    const old = await fetch(subnet.dev.httpUrl, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'chain_getHeader', params: [] }),
    })
    const { result } = (await old.json()) as { result: unknown }
    for (let made = 0; made < 20; made++) subnet.dev.chain.produceBlock()
    await chain.metagraph(4)
    liar.lies.set('chain_getHeader', () => result)
    await expect(chain.metagraph(4)).rejects.toMatchObject({ facts: { what: 'height', now: 20 } })
  })

  it('would otherwise read the forged subnet', async () => {
    const link = await openLink(liar.url, { clock: systemClock, rpcTimeoutMs: 8000 })
    await forge(neurons(3))
    expect((await read(link, 4)).neurons).toHaveLength(3)
    link.rpc.close()
  })

  it('switches to a second endpoint that contradicts', async () => {
    const chain = await subnet.connect({ endpoints: [liar.url, subnet.dev.url] })
    await chain.metagraph(4)
    await forge(neurons(3))
    expect((await chain.metagraph(4)).neurons).toHaveLength(4)
    await expect.poll(() => chain.endpoint).toBe(subnet.dev.url)
  })

  it('accepts a change that a second endpoint confirms', async () => {
    const second = await startLyingEndpoint(liar.url)
    const chain = await subnet.connect({ endpoints: [liar.url, second.url] })
    await chain.metagraph(4)
    await forge(neurons(3))
    expect((await chain.metagraph(4)).neurons).toHaveLength(3)
    await second.close()
  })

  it('accepts a change that stays unchallenged for 1 h', async () => {
    const link = await openLink(liar.url, { clock: systemClock, rpcTimeoutMs: 8000 })
    let hours = 0
    const clock = { ...systemClock, monotonic: () => hours * 3_600_000 }
    const session = {
      link,
      use: async <T>(work: (used: typeof link) => Promise<T>) => work(link),
      abandon() {},
    }
    const context = { clock, log: recordLog(), endpoints: [liar.url], rpcTimeoutMs: 8000 }
    const trusted = new TrustedMetagraphs(context, session, read)
    await trusted.read(4)
    await forge(neurons(3))
    await expect(trusted.read(4)).rejects.toMatchObject({ code: 'CHAIN_IMPLAUSIBLE' })
    hours = 0.9
    await expect(trusted.read(4)).rejects.toMatchObject({ code: 'CHAIN_IMPLAUSIBLE' })
    expect(trusted.last(4)?.neurons).toHaveLength(4)
    hours = 1
    expect((await trusted.read(4)).neurons).toHaveLength(3)
    link.rpc.close()
  })
})

describe('weights with a lying only endpoint (T-C4)', () => {
  const vector = { netuid: 4, uids: [2, 3], scores: [1, 0.5], versionKey: 404_010 }

  it.each([
    ['neurons', 'SubnetworkN', '0x0300'],
    ['registration', 'Uids', null],
  ])('are not signed when the %s disappears', async (what, item, value) => {
    const chain = await subnet.connect({ endpoints: [liar.url] })
    await chain.metagraph(4)
    const about = aboutItem(item, () => value)
    liar.lies.set('state_getStorage', about)
    expect(await chain.setWeights(await hotkeyOf(0), vector)).toMatchObject({
      kind: 'refused',
      refusal: { class: 'implausible', name: `${what} disappeared` },
    })
    expect(subnet.dev.chain.pool.entries).toEqual([])
  })
})

it('an impossible head does not hide the honest ones (T-C4)', async () => {
  const first = await startFaultProxy(subnet.dev.url)
  const chain = await subnet.connect({ endpoints: [first.url, liar.url, subnet.dev.url] })
  liar.lies.set('chain_getHeader', (header) => ({ ...(header as object), number: '0x99999' }))
  first.mode = 'refuse'
  first.drop('reset')
  await expect.poll(() => chain.endpoint).toBe(subnet.dev.url)
  subnet.dev.chain.produceBlock()
  await expect.poll(() => chain.head().number).toBe(21)
  expect(subnet.log.lines.map(({ event }) => event)).toContain('chain-head-rejected')
  await first.close()
})
