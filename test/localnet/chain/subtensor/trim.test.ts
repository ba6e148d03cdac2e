import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type EpochConsensus, subtensor } from '../../../../src/localnet/chain/runtime/index.js'
import { connect, NETUID, startNetwork, type TestNetwork } from '../client.js'

/** Emissions by uid: uid 1, 3 and 4 earn least, in this order. */
const EMISSION = [50n, 1n, 40n, 2n, 3n, 30n]

/** A subnet of six neurons with the emissions above, whose first neuron has weights for all of them. */
async function startSubnet(consensus: EpochConsensus = 'Yuma', specVersion = 475): Promise<TestNetwork> {
  const network = await startNetwork({ count: 6, consensus, specVersion, maxAllowedUids: 6 })
  const { storage } = network.chain
  storage.set(subtensor.Emission, EMISSION, NETUID)
  const rows = EMISSION.map((_, uid) => [uid, 100 + uid] as const)
  storage.set(subtensor.Weights, rows, NETUID, 0)
  storage.set(subtensor.Bonds, rows, NETUID, 5)
  EMISSION.forEach((_, uid) => {
    storage.set(subtensor.BlockAtRegistration, BigInt(uid * 10), NETUID, uid)
    storage.setElement(subtensor.LastUpdate, uid, BigInt(uid * 100), NETUID)
  })
  return network
}

/** The uids that the neurons had before, in the order of their new ones. */
function formerUids({ chain, neurons }: TestNetwork): readonly number[] {
  const count = chain.storage.get(subtensor.SubnetworkN, NETUID)
  return Array.from({ length: count }, (_, uid) => {
    const hotkey = chain.storage.get(subtensor.Keys, NETUID, uid)
    return neurons.findIndex(({ hot }) => Buffer.from(hot.publicKey).equals(Buffer.from(hotkey)))
  })
}

async function callDevelopment(network: TestNetwork, method: string, params: readonly unknown[]) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(network.httpUrl, { method: 'POST', headers, body })
  return (await response.json()) as { result?: string; error?: { data: string } }
}

describe('trimming a subnet', () => {
  let network: TestNetwork

  beforeEach(async () => {
    network = await startSubnet()
  })
  afterEach(async () => {
    await network.close()
  })

  test('removes the neurons with the lowest emission and moves the others up', () => {
    network.trimUids(4)
    const { storage } = network.chain
    expect(formerUids(network)).toEqual([0, 2, 4, 5])
    expect(storage.get(subtensor.Emission, NETUID)).toEqual([50n, 40n, 3n, 30n])
    expect(storage.get(subtensor.LastUpdate, NETUID)).toEqual([0n, 200n, 400n, 500n])
    expect(storage.get(subtensor.ValidatorPermit, NETUID)).toEqual([true, false, false, false])
    expect(storage.get(subtensor.MaxAllowedUids, NETUID)).toBe(4)
    expect([0, 1, 2, 3, 4, 5].map((uid) => storage.get(subtensor.BlockAtRegistration, NETUID, uid))).toEqual([
      0n,
      20n,
      40n,
      50n,
      0n,
      0n,
    ])
    const found = network.neurons.map(({ hot }) => storage.get(subtensor.Uids, NETUID, hot.publicKey))
    expect(found).toEqual([0, undefined, 1, undefined, 2, 3])
  })

  test('renumbers weights and bonds, without the entries for removed neurons', () => {
    network.trimUids(4)
    const { storage } = network.chain
    const row = [
      [0, 100],
      [1, 102],
      [2, 104],
      [3, 105],
    ]
    expect(storage.get(subtensor.Weights, NETUID, 0)).toEqual(row)
    expect(storage.get(subtensor.Bonds, NETUID, 3)).toEqual(row)
    expect(storage.get(subtensor.Bonds, NETUID, 5)).toEqual([])
  })

  test('keeps the hotkey of the owner, and of two equal neurons the earlier', () => {
    const owner = network.neurons[1]
    if (!owner) throw new Error('no neuron')
    network.chain.storage.set(subtensor.SubnetOwnerHotkey, owner.hot.publicKey, NETUID)
    network.chain.storage.set(subtensor.Emission, [50n, 1n, 2n, 2n, 2n, 30n], NETUID)
    network.trimUids(4)
    expect(formerUids(network)).toEqual([0, 1, 2, 5])
  })

  test('is refused outside the limits of the subnet, and then changes nothing', async () => {
    network.chain.storage.set(subtensor.MinAllowedUids, 3, NETUID)
    const before = network.chain.head.number
    expect((await callDevelopment(network, 'dev_trimUids', [2])).error?.data).toContain('InvalidValue')
    expect((await callDevelopment(network, 'dev_trimUids', [7])).error?.data).toContain('InvalidValue')
    expect(network.chain.head.number).toBe(before)
    expect(formerUids(network)).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('shows in the metagraph of the block that it returns', async () => {
    const { result } = await callDevelopment(network, 'dev_trimUids', [3])
    expect(result).toBe(`0x${Buffer.from(network.chain.head.hash).toString('hex')}`)
    const api = await connect(network.url)
    const call = api.call.subnetInfoRuntimeApi
    const answer = (await call?.getMetagraph?.(NETUID))?.toJSON() as Record<string, unknown>
    await api.disconnect()
    const hotkeys = [0, 2, 5].map((uid) => network.neurons[uid]?.hot.address)
    expect(answer).toMatchObject({ numUids: 3, maxUids: 3, hotkeys })
  })
})

describe('trimming under Null consensus', () => {
  test('fills the holes with the last neurons, so that the others keep their uids', async () => {
    const network = await startSubnet('Null')
    network.trimUids(4)
    expect(formerUids(network)).toEqual([0, 4, 2, 5])
    await network.close()
  })

  test('drops commits that wait for their reveal, because they name the old uids', async () => {
    const network = await startSubnet('Null')
    const { storage } = network.chain
    const commit = [
      network.neurons[0]?.hot.publicKey ?? new Uint8Array(32),
      1n,
      Uint8Array.of(1),
      9n,
    ] as const
    storage.set(subtensor.TimelockedWeightCommits, [commit], NETUID, 0n)
    network.trimUids(4)
    expect(storage.get(subtensor.TimelockedWeightCommits, NETUID, 0n)).toEqual([])
    await network.close()
  })

  test('removes at most 64 neurons at once', async () => {
    const network = await startNetwork({ count: 70, consensus: 'Null', specVersion: 475, maxAllowedUids: 70 })
    expect(() => network.trimUids(5)).toThrow('InvalidValue')
    network.trimUids(6)
    expect(network.chain.storage.get(subtensor.SubnetworkN, NETUID)).toBe(6)
    await network.close()
  })
})

test('under Yuma consensus a trim keeps waiting commits, whose uids then name other neurons', async () => {
  const network = await startSubnet('Yuma', 425)
  const { storage } = network.chain
  const commit = [network.neurons[0]?.hot.publicKey ?? new Uint8Array(32), 1n, Uint8Array.of(1), 9n] as const
  storage.set(subtensor.TimelockedWeightCommits, [commit], NETUID, 0n)
  network.trimUids(4)
  expect(storage.get(subtensor.TimelockedWeightCommits, NETUID, 0n)).toHaveLength(1)
  await network.close()
})
