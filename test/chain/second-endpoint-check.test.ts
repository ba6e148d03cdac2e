import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startDevelopmentChain } from '../../src/localnet/chain/index.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { aboutItem, type Lie, type LyingEndpoint, startLyingEndpoint } from '../support/lying-endpoint.js'
import { type Subnet, startSubnet } from './subnet.js'

let subnet: Subnet
let liar: LyingEndpoint

beforeEach(async () => {
  subnet = await startSubnet({ sealing: 'auto', weightsSetRateLimit: 0 })
  liar = await startLyingEndpoint(subnet.dev.url)
  for (let made = 0; made < 5; made++) subnet.dev.chain.produceBlock()
  // Otherwise a fast client would find only genesis finalized, which every endpoint shows truthfully.
  subnet.dev.chain.finalizeUpTo(5)
})

afterEach(async () => {
  await subnet.close()
  await liar.close()
})

const vector = { netuid: 4, uids: [2, 3], scores: [1, 0.5], versionKey: 404_010 }

const lies: readonly [what: string, method: string, lie: Lie][] = [
  [
    'head',
    'chain_getHeader',
    (header, params) => (params.length === 0 ? { ...(header as object), number: '0x9999' } : header),
  ],
  [
    'finalized block',
    'chain_getBlockHash',
    (hash, [number]) => (number === 0 ? hash : `0x${'ab'.repeat(32)}`),
  ],
  ['hotkey', 'state_getStorage', aboutItem('Uids', () => '0x0300')],
  ['neurons', 'state_getStorage', aboutItem('SubnetworkN', () => '0x0001')],
  ['permits', 'state_getStorage', aboutItem('ValidatorPermit', () => '0x1000010101')],
]

describe('checkSecondEndpoint (T-C4)', () => {
  it.each(lies)('pauses weights when a second endpoint differs in %s', async (what, method, lie) => {
    const chain = await subnet.connect({ endpoints: [subnet.dev.url, liar.url] })
    liar.lies.set(method, lie)
    expect(await chain.setWeights(await hotkeyOf(0), vector)).toMatchObject({
      kind: 'refused',
      refusal: { class: 'endpoints-differ', name: `${what} differs` },
    })
    expect(subnet.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'chain-endpoints-differ' }),
    )
    expect((await chain.weightsStatus(4, subnet.signers[0]?.address ?? '')).nonce).toBe(0)
    expect(await chain.weightsOf(4, 0)).toEqual([])
  })

  it('pauses weights when the endpoint in use is the one that differs', async () => {
    const chain = await subnet.connect({ endpoints: [liar.url, subnet.dev.url] })
    liar.lies.set(
      'state_getStorage',
      aboutItem('SubnetworkN', () => '0x0001'),
    )
    expect(await chain.setWeights(await hotkeyOf(0), vector)).toMatchObject({
      refusal: { name: 'neurons differs' },
    })
  })

  it('pauses weights when a second endpoint is on another network', async () => {
    const other = await startDevelopmentChain({ sealing: 'manual', netuid: 5 })
    const chain = await subnet.connect({ endpoints: [subnet.dev.url, other.url] })
    expect(await chain.setWeights(await hotkeyOf(0), vector)).toMatchObject({
      refusal: { name: 'network differs' },
    })
    await other.close()
  })

  it('sets weights when one other endpoint agrees', async () => {
    const honest = await startLyingEndpoint(subnet.dev.url)
    const chain = await subnet.connect({ endpoints: [subnet.dev.url, liar.url, honest.url] })
    liar.lies.set(
      'state_getStorage',
      aboutItem('SubnetworkN', () => '0x0001'),
    )
    expect(await chain.setWeights(await hotkeyOf(0), vector)).toMatchObject({ kind: 'set' })
    await honest.close()
  })

  it('sets weights when the second endpoint is down', async () => {
    await liar.close()
    const chain = await subnet.connect({ endpoints: [subnet.dev.url, liar.url] })
    expect(await chain.setWeights(await hotkeyOf(0), vector)).toMatchObject({ kind: 'set' })
    expect(chain.reconnects).toBe(0)
    expect(subnet.log.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', event: 'chain-endpoint-incomparable' }),
    )
  })
})

/** Changes the metagraph an endpoint shows: by default at every block, else only where `isShown`. */
function aboutMetagraph(change: (hex: string) => string, isShown = (_blockHash: string) => true): Lie {
  return (result, [method, , blockHash]) =>
    method === 'SubnetInfoRuntimeApi_get_selective_metagraph' && isShown(String(blockHash))
      ? change(String(result))
      : result
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** The two hotkeys trade places. */
function swap(a: Uint8Array, b: Uint8Array): (text: string) => string {
  return (text) => text.replaceAll(hex(a), '*').replaceAll(hex(b), hex(a)).replaceAll('*', hex(b))
}

describe('a proxy in front of an honest chain (T-C4)', () => {
  /** Weights for the owner of uid 2, as a validator makes them: scores belong to hotkeys, uids come from the metagraph. */
  async function setForOwnerOfTwo(endpoints: readonly string[]) {
    const chain = await subnet.connect({ endpoints })
    const metagraph = await chain.metagraph(4)
    const uids = [2, 3].map((index) => metagraph.find(subnet.signers[index]?.address ?? '')?.uid ?? -1)
    return { chain, result: await chain.setWeights(await hotkeyOf(0), { ...vector, uids }) }
  }

  const swapped = () => {
    const [a, b] = [subnet.signers[2]?.publicKey, subnet.signers[3]?.publicKey]
    return a && b ? swap(a, b) : String
  }

  it('moves the weight of one miner to another when it is the only endpoint', async () => {
    liar.lies.set('state_call', aboutMetagraph(swapped()))
    const { chain, result } = await setForOwnerOfTwo([liar.url])
    expect(result).toMatchObject({ kind: 'set' })
    expect(await chain.weightsOf(4, 0)).toContainEqual({ uid: 3, weightU16: 65_535 })
  })

  it('cannot swap two hotkeys when another endpoint is there', async () => {
    liar.lies.set('state_call', aboutMetagraph(swapped()))
    const { chain, result } = await setForOwnerOfTwo([liar.url, subnet.dev.url])
    expect(result).toMatchObject({ refusal: { class: 'endpoints-differ', name: 'hotkeys differs' } })
    expect(await chain.weightsOf(4, 0)).toEqual([])
    const { fields } = subnet.log.lines.find(({ event }) => event === 'chain-endpoints-differ') ?? {}
    expect(fields).toMatchObject({
      ours: `uid 2: ${subnet.signers[3]?.address}`,
      theirs: `uid 2: ${subnet.signers[2]?.address}`,
    })
  })

  it('cannot swap them only in what the validator scores by, and tell the truth when it is compared', async () => {
    subnet.dev.chain.produceBlock()
    const final = subnet.dev.chain.finalized
    expect(final.number).toBeLessThan(subnet.dev.chain.head.number)
    liar.lies.set(
      'state_call',
      aboutMetagraph(swapped(), (hash) => hash !== `0x${hex(final.hash)}`),
    )
    const { result } = await setForOwnerOfTwo([liar.url, subnet.dev.url])
    expect(result).toMatchObject({ refusal: { class: 'endpoints-differ', name: 'hotkeys differs' } })
  })

  it('cannot send the questions of one miner to another address', async () => {
    const honest = await subnet.connect()
    await honest.serveAxon(await hotkeyOf(2), { netuid: 4, ip: '203.0.113.5', port: 8091 })
    liar.lies.set(
      'state_call',
      aboutMetagraph((text) => text.replaceAll('057100cb', '067100cb')),
    )
    const { result } = await setForOwnerOfTwo([liar.url, subnet.dev.url])
    expect(result).toMatchObject({ refusal: { class: 'endpoints-differ', name: 'axons differs' } })
  })

  it('cannot lower the largest weight that the subnet allows', async () => {
    liar.lies.set(
      'state_getStorage',
      aboutItem('MaxWeightsLimit', () => '0xffbf'),
    )
    const { chain, result } = await setForOwnerOfTwo([liar.url, subnet.dev.url])
    expect(result).toMatchObject({ refusal: { class: 'endpoints-differ', name: 'maxWeightLimit differs' } })
    expect(await chain.weightsOf(4, 0)).toEqual([])
  })

  it('cannot avoid the comparison by not answering it', async () => {
    liar.lies.set('chain_getBlockHash', (hash, [number]) => (number === 0 ? hash : null))
    const { chain, result } = await setForOwnerOfTwo([liar.url, subnet.dev.url]).catch(() => ({
      chain: undefined,
      result: undefined,
    }))
    expect([chain, result]).toEqual([undefined, undefined])
    expect(subnet.dev.chain.pool.entries).toEqual([])
  })
})

it('sets weights when an honest second endpoint is a few blocks behind', async () => {
  const header = async (hash: string) => {
    const body = { jsonrpc: '2.0', id: 1, method: 'chain_getHeader', params: [hash] }
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(subnet.dev.httpUrl, { method: 'POST', headers, body: JSON.stringify(body) })
    return ((await answer.json()) as { result: unknown }).result
  }
  const behind = await header(`0x${hex(subnet.dev.chain.head.hash)}`)
  for (let made = 0; made < 3; made++) subnet.dev.chain.produceBlock()
  liar.lies.set('chain_getHeader', (real, params) => (params.length === 0 ? behind : real))
  const chain = await subnet.connect({ endpoints: [subnet.dev.url, liar.url] })
  await chain.metagraph(4)
  expect(await chain.setWeights(await hotkeyOf(0), vector)).toMatchObject({ kind: 'set' })
})
