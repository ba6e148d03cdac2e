import type { ApiPromise } from '@polkadot/api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect, NETUID, sendInBlock, startNetwork, type TestNetwork } from './client.js'

const KNOWN_GENESIS = [
  '0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03',
  '0x8f9cf856bf558a14440e75569c9e58594757048d7b3a84b5d25f6bd978263105',
]

describe('a polkadot-js client', () => {
  let network: TestNetwork
  let api: ApiPromise

  beforeAll(async () => {
    network = await startNetwork({ tempo: 20 })
    api = await connect(network.url)
  })
  afterAll(async () => {
    await api.disconnect()
    await network.close()
  })

  test('reads metadata V16 and a genesis hash unlike that of any known network', () => {
    expect(api.runtimeMetadata.version).toBe(16)
    expect(api.runtimeVersion.specName.toString()).toBe('node-subtensor')
    expect(KNOWN_GENESIS).not.toContain(api.genesisHash.toHex())
  })

  test('reads storage maps, multiple keys and paged entries', async () => {
    const { subtensorModule } = api.query
    expect((await subtensorModule?.tempo?.(NETUID))?.toString()).toBe('20')
    const uids = await subtensorModule?.uids?.multi(network.neurons.map(({ hot }) => [NETUID, hot.address]))
    expect(uids?.map(String)).toEqual(['0', '1', '2', '3'])
    const page = await subtensorModule?.keys?.entriesPaged({ args: [NETUID], pageSize: 3 })
    expect(page).toHaveLength(3)
  })

  test('decodes runtime API results with the types in the metadata', async () => {
    const lite = (await api.call.neuronInfoRuntimeApi?.getNeuronsLite?.(NETUID))?.toJSON()
    expect(lite).toHaveLength(4)
    const metagraph = (await api.call.subnetInfoRuntimeApi?.getMetagraph?.(NETUID))?.toJSON()
    expect(metagraph).toMatchObject({
      numUids: 4,
      hotkeys: network.neurons.map(({ hot }) => hot.address),
      totalStake: [1_000_000_000_000, 999_000_000_000, 0, 0],
      validatorPermit: [true, true, false, false],
    })
  })

  test('serves what ordinary clients read besides: full neurons, the state of the subnet and its market', async () => {
    const { neuronInfoRuntimeApi: neurons, subnetInfoRuntimeApi: subnets, swapRuntimeApi: swap } = api.call
    const hotkeys = network.neurons.map(({ hot }) => hot.address)
    expect((await neurons?.getNeurons?.(NETUID))?.toJSON()).toMatchObject(
      hotkeys.map((hotkey, uid) => ({ hotkey, uid, weights: [], bonds: [] })),
    )
    expect((await neurons?.getNeuron?.(NETUID, 1))?.toJSON()).toMatchObject({ hotkey: hotkeys[1], uid: 1 })
    expect((await neurons?.getNeuron?.(NETUID, 4))?.toJSON()).toBeNull()
    expect((await neurons?.getNeurons?.(NETUID + 1))?.toJSON()).toEqual([])
    expect((await subnets?.getSubnetState?.(NETUID))?.toJSON()).toMatchObject({ netuid: NETUID, hotkeys })
    expect((await subnets?.getSubnetState?.(NETUID + 1))?.toJSON()).toBeNull()
    const info = (await subnets?.getDynamicInfo?.(NETUID))?.toJSON()
    expect(info).toMatchObject({ netuid: NETUID, tempo: 20, subnetIdentity: null })
    expect((await subnets?.getAllDynamicInfo?.())?.toJSON()).toEqual([info])
    const details = { netuid: NETUID, subnetworkN: 4, maxAllowedUids: 256, tempo: 20 }
    expect((await subnets?.getSubnetInfoV2?.(NETUID))?.toJSON()).toMatchObject(details)
    expect((await subnets?.getSubnetsInfoV2?.())?.toJSON()).toMatchObject([details])
    expect((await swap?.currentAlphaPrice?.(NETUID))?.toJSON()).toBe(1_000_000_000)
    expect((await swap?.currentAlphaPriceAll?.())?.toJSON()).toEqual([
      { netuid: NETUID, price: 1_000_000_000 },
    ])
  })

  test('keeps the digest of a block also in storage', async () => {
    network.chain.produceBlock()
    const [header, hash] = [await api.rpc.chain.getHeader(), await api.rpc.chain.getBlockHash()]
    const digest = await (await api.at(hash)).query.system?.digest?.()
    expect(header.digest.logs).toHaveLength(1)
    expect(digest?.toHex()).toBe(header.digest.toHex())
  })

  test('signs and sends feeless calls and receives their events', async () => {
    const validator = network.neurons[0]
    const miner = network.neurons[2]
    if (!validator || !miner) throw new Error('no neurons')
    const axon = api.tx.subtensorModule?.serveAxon?.(NETUID, 4041, 0x0a000001, 8091, 4, 4, 0, 0)
    const weights = api.tx.subtensorModule?.setWeights?.(NETUID, [2, 3], [100, 50], 0)
    if (!axon || !weights) throw new Error('no such calls')
    const served = await sendInBlock(network, api, axon, miner.hot)
    expect(served.events).toEqual(['subtensorModule.AxonServed', 'system.ExtrinsicSuccess'])
    const set = await sendInBlock(network, api, weights, validator.hot)
    expect(set.error).toBeUndefined()
    expect((await api.query.subtensorModule?.weights?.(NETUID, 0))?.toJSON()).toEqual([
      [2, 65_535],
      [3, 32_768],
    ])
  })
})
