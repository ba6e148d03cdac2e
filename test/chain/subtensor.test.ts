import { afterEach, describe, expect, it } from 'vitest'
import { startFaultProxy } from '../support/fault-proxy.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { type Subnet, startSubnet } from './subnet.js'

let subnet: Subnet

afterEach(() => subnet.close())

/** Moves the chain on: rate limits count blocks. */
function mine(blocks: number): void {
  for (let made = 0; made < blocks; made++) subnet.dev.chain.produceBlock()
}

describe('reading', () => {
  it('a metagraph is one picture at one block', async () => {
    subnet = await startSubnet()
    mine(5)
    const chain = await subnet.connect()
    const metagraph = await chain.metagraph(4)
    expect(metagraph).toMatchObject({ netuid: 4, block: 5 })
    expect(metagraph.blockHash).toMatch(/^0x[0-9a-f]{64}$/)
    expect(metagraph.neurons.map(({ hotkey }) => hotkey)).toEqual(
      subnet.signers.map(({ address }) => address),
    )
    expect(metagraph.neurons[0]).toMatchObject({
      uid: 0,
      validatorPermit: true,
      stakeTao: 1000,
      axon: undefined,
    })
    expect(metagraph.find(subnet.signers[3]?.address ?? '')?.uid).toBe(3)
    expect(metagraph.find('nobody')).toBeUndefined()
  })

  it('an unknown subnet is named', async () => {
    subnet = await startSubnet()
    const chain = await subnet.connect()
    await expect(chain.metagraph(77)).rejects.toMatchObject({ code: 'SUBNET_UNKNOWN', fault: 'chain' })
  })

  it.each([240, 293, 343, 393, 424])(
    'the dialect of spec %i, where it is offered, reads alike',
    async (specVersion) => {
      const started = await startSubnet({ specVersion }).catch((error: unknown) => {
        if (error instanceof RangeError) return undefined
        throw error
      })
      subnet = started ?? (await startSubnet())
      const chain = await subnet.connect()
      expect((await chain.metagraph(4)).neurons.map(({ stakeTao }) => stakeTao)).toEqual([1000, 1000, 0, 0])
    },
  )
})

describe('announcing an axon', () => {
  it('serves once, then leaves an equal address alone', async () => {
    subnet = await startSubnet()
    const chain = await subnet.connect()
    const signer = await hotkeyOf(2)
    const axon = { netuid: 4, ip: '10.1.2.3', port: 8091 }
    expect(await chain.serveAxon(signer, axon)).toMatchObject({ kind: 'served' })
    const served = (await chain.metagraph(4)).neurons[2]?.axon
    expect(served).toMatchObject({ ip: '10.1.2.3', port: 8091, ipType: 4, protocol: 4 })
    const before = chain.head().number
    expect(await chain.serveAxon(signer, axon)).toEqual({ kind: 'unchanged' })
    expect(subnet.dev.chain.head.number).toBe(before)
  })

  it('IPv6 too', async () => {
    subnet = await startSubnet()
    const chain = await subnet.connect()
    await chain.serveAxon(await hotkeyOf(3), { netuid: 4, ip: '2001:db8::7', port: 1 })
    expect((await chain.metagraph(4)).neurons[3]?.axon).toMatchObject({ ip: '2001:db8::7', ipType: 6 })
  })

  it.each([
    ['loopback', { ip: '127.0.0.1', port: 8091 }, 'bad-axon', 'InvalidIpAddress'],
    ['port 0', { ip: '10.0.0.1', port: 0 }, 'bad-axon', 'InvalidPort'],
  ])('%s is refused by class', async (_, axon, refusalClass, name) => {
    subnet = await startSubnet()
    const chain = await subnet.connect()
    const result = await chain.serveAxon(await hotkeyOf(2), { netuid: 4, ...axon })
    expect(result).toMatchObject({ kind: 'refused', refusal: { class: refusalClass, name } })
  })

  it('an unregistered hotkey is refused by class', async () => {
    subnet = await startSubnet()
    const chain = await subnet.connect()
    const result = await chain.serveAxon(await hotkeyOf(99), { netuid: 4, ip: '10.0.0.1', port: 1 })
    expect(result).toMatchObject({ kind: 'refused', refusal: { class: 'not-registered' } })
  })

  it('serving again too early is refused as too fast', async () => {
    subnet = await startSubnet({ servingRateLimit: 50 })
    mine(60)
    const chain = await subnet.connect()
    const signer = await hotkeyOf(2)
    await chain.serveAxon(signer, { netuid: 4, ip: '10.0.0.1', port: 1 })
    const again = await chain.serveAxon(signer, { netuid: 4, ip: '10.0.0.2', port: 1 })
    expect(again).toMatchObject({ kind: 'refused', refusal: { class: 'too-fast' } })
  })

  it('text that is no address never reaches the chain', async () => {
    subnet = await startSubnet()
    const chain = await subnet.connect()
    const signer = await hotkeyOf(2)
    await expect(chain.serveAxon(signer, { netuid: 4, ip: 'example.org', port: 1 })).rejects.toMatchObject({
      code: 'AXON_ADDRESS',
      fault: 'usage',
    })
  })
})

describe('setting weights', () => {
  const vector = { netuid: 4, uids: [2, 3], scores: [1, 0.5], versionKey: 404_010 }
  const entries = [
    { uid: 2, weightU16: 65_535 },
    { uid: 3, weightU16: 32_768 },
  ]

  it('lands, is confirmed, and is what the chain stores', async () => {
    subnet = await startSubnet()
    mine(4)
    const chain = await subnet.connect()
    const result = await chain.setWeights(await hotkeyOf(0), vector)
    expect(result).toMatchObject({ kind: 'set', path: 'direct', block: 5, entries })
    expect(await chain.weightsOf(4, 0)).toEqual(entries)
  })

  it('goes by commit where the subnet asks for it', async () => {
    subnet = await startSubnet({ commitReveal: true })
    mine(4)
    const chain = await subnet.connect()
    const result = await chain.setWeights(await hotkeyOf(0), vector)
    expect(result).toMatchObject({ kind: 'set', path: 'commit', entries })
    expect((await chain.weightsStatus(4, subnet.signers[0]?.address ?? '')).lastUpdateBlock).toBe(5)
  })

  it('what the chain would refuse is not sent: too fast, version key, not registered', async () => {
    subnet = await startSubnet({ weightsSetRateLimit: 50, weightsVersionKey: 404_010 })
    mine(60)
    const chain = await subnet.connect()
    const signer = await hotkeyOf(0)
    expect(await chain.setWeights(signer, { ...vector, versionKey: 404_009 })).toMatchObject({
      refusal: { class: 'version-key' },
    })
    expect(await chain.setWeights(signer, vector)).toMatchObject({ kind: 'set' })
    expect(await chain.setWeights(signer, vector)).toMatchObject({ refusal: { class: 'too-fast' } })
    expect(await chain.setWeights(await hotkeyOf(99), vector)).toMatchObject({
      refusal: { class: 'not-registered' },
    })
    expect(subnet.dev.chain.head.number).toBe(61)
  })

  it('a miner without permit learns so by name', async () => {
    subnet = await startSubnet()
    mine(4)
    const chain = await subnet.connect()
    expect(await chain.setWeights(await hotkeyOf(3), vector)).toMatchObject({
      kind: 'refused',
      refusal: { class: 'no-permit', name: 'NeuronNoValidatorPermit' },
    })
  })

  it('too little stake is refused by the pool', async () => {
    subnet = await startSubnet({ stakeThresholdTao: 5000 })
    mine(4)
    const chain = await subnet.connect()
    expect(await chain.setWeights(await hotkeyOf(0), vector)).toMatchObject({
      kind: 'refused',
      refusal: { class: 'stake' },
    })
  })

  it('nothing scorable leaves the last vector', async () => {
    subnet = await startSubnet()
    mine(4)
    const chain = await subnet.connect()
    await chain.setWeights(await hotkeyOf(0), vector)
    mine(4)
    const empty = { ...vector, scores: [0, 0] }
    expect(await chain.setWeights(await hotkeyOf(0), empty)).toEqual({
      kind: 'skipped',
      reason: 'nothing-scorable',
    })
    expect(await chain.weightsOf(4, 0)).toEqual(entries)
  })

  it('calls of one key asked for at once go one after the other', async () => {
    subnet = await startSubnet({ servingRateLimit: 0 })
    mine(4)
    const chain = await subnet.connect()
    const signer = await hotkeyOf(0)
    const results = await Promise.all([
      chain.serveAxon(signer, { netuid: 4, ip: '10.0.0.1', port: 1 }),
      chain.setWeights(signer, vector),
      chain.serveAxon(signer, { netuid: 4, ip: '10.0.0.2', port: 2 }),
    ])
    expect(results.map(({ kind }) => kind)).toEqual(['served', 'set', 'served'])
  })
})

describe('unreachable or wrong chains', () => {
  it('a refused connection is a clear error', async () => {
    subnet = await startSubnet()
    await expect(subnet.connect({ endpoints: ['ws://127.0.0.1:1'] })).rejects.toMatchObject({
      code: 'CHAIN_UNREACHABLE',
      fault: 'unreachable',
      message: expect.stringContaining('Cannot connect to ws://127.0.0.1:1: '),
    })
  })

  it('a chain that is away when a role starts is waited for', async () => {
    subnet = await startSubnet()
    const proxy = await startFaultProxy(subnet.dev.url)
    proxy.mode = 'refuse'
    const connecting = subnet.connect({ endpoints: [proxy.url], firstConnectMs: 60_000 })
    await expect.poll(() => proxy.accepted).toBeGreaterThan(1)
    expect(subnet.log.lines.map(({ event }) => event)).toContain('chain-unreachable')
    proxy.mode = 'pass'
    expect((await connecting).endpoint).toBe(proxy.url)
    await proxy.close()
  })

  it('but another network is not, nor longer than allowed', async () => {
    subnet = await startSubnet()
    const genesisHash = `0x${'1'.repeat(64)}`
    const both = [subnet.dev.url, subnet.dev.url]
    await expect(
      subnet.connect({ endpoints: both, genesisHash, firstConnectMs: 60_000 }),
    ).rejects.toMatchObject({ code: 'CHAIN_WRONG_NETWORK', fault: 'chain' })
    const endpoints = ['ws://127.0.0.1:1']
    await expect(subnet.connect({ endpoints, firstConnectMs: 300 })).rejects.toMatchObject({
      code: 'CHAIN_UNREACHABLE',
    })
  })

  it('the next endpoint is taken at the start', async () => {
    subnet = await startSubnet()
    const chain = await subnet.connect({ endpoints: ['ws://127.0.0.1:1', subnet.dev.url] })
    expect(chain.endpoint).toBe(subnet.dev.url)
  })

  it('an endpoint of another network is refused by its genesis (T-C4)', async () => {
    subnet = await startSubnet()
    await expect(subnet.connect({ genesisHash: `0x${'1'.repeat(64)}` })).rejects.toMatchObject({
      code: 'CHAIN_WRONG_NETWORK',
    })
  })
})
