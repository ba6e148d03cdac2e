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
