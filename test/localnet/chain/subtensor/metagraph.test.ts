import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SELECTIVE_FIELDS, subtensor } from '../../../../src/localnet/chain/runtime/index.js'
import {
  hyperparametersOf,
  metagraphOf,
  type ReadContext,
  selectMetagraph,
} from '../../../../src/localnet/chain/subtensor/index.js'
import { connect, NETUID, startNetwork, type TestNetwork } from '../client.js'

describe('metagraph', () => {
  let network: TestNetwork
  let context: ReadContext

  beforeAll(async () => {
    network = await startNetwork({ tempo: 20, maxAllowedUids: 64 })
    network.chain.produceBlock()
    const { storage, head, runtime } = network.chain
    context = { storage, block: head.number, dialect: runtime.dialect }
  })
  afterAll(async () => {
    await network.close()
  })

  test('lists every neuron in uid order with the hyperparameters of the subnet', () => {
    const metagraph = metagraphOf(context, NETUID, 0)
    expect(metagraph).toMatchObject({ netuid: NETUID, block: 1n, tempo: 20, num_uids: 4, max_uids: 64 })
    expect(metagraph?.hotkeys).toEqual(network.neurons.map(({ hot }) => hot.publicKey))
    expect(metagraph?.coldkeys).toEqual(network.neurons.map(({ cold }) => cold.publicKey))
    expect(metagraph?.total_stake).toEqual([1_000_000_000_000n, 999_000_000_000n, 0n, 0n])
    expect(metagraph).toMatchObject(hyperparametersOf(context, NETUID) ?? { tempo: 'absent' })
  })

  test('is undefined for an unknown subnet or mechanism', () => {
    expect(metagraphOf(context, 9, 0)).toBeUndefined()
    expect(metagraphOf(context, NETUID, 1)).toBeUndefined()
    expect(hyperparametersOf(context, 9)).toBeUndefined()
    expect(selectMetagraph(undefined, [0])).toBeUndefined()
  })

  test('selects the requested fields by index, always with the netuid', () => {
    const metagraph = metagraphOf(context, NETUID, 0)
    const hotkeys = SELECTIVE_FIELDS.indexOf('hotkeys')
    expect(selectMetagraph(metagraph, [hotkeys, 999])).toEqual({
      netuid: NETUID,
      hotkeys: metagraph?.hotkeys,
    })
    expect(selectMetagraph(metagraph, [72, 73])).toEqual({
      netuid: NETUID,
      validators: [0, 1],
      commitments: [],
    })
  })
})

describe('collateral columns', () => {
  const selected = SELECTIVE_FIELDS.slice(-3)
  const answer = async (specVersion: number) => {
    const network = await startNetwork({ specVersion })
    const [{ hot, cold } = { hot: undefined, cold: undefined }] = network.neurons.slice(2)
    if (!hot || !cold) throw new Error('no miner')
    network.chain.storage.set(
      subtensor.MinerCollateral,
      { locked: 7n, drain_ratio: { bits: 0n }, min_locked: 5n, earned: 3n },
      ...([NETUID, hot.publicKey, cold.publicKey] as const),
    )
    network.chain.produceBlock()
    const api = await connect(network.url)
    const call = api.call.subnetInfoRuntimeApi
    const whole = (await call?.getMetagraph?.(NETUID))?.toJSON() as Record<string, unknown>
    const indexes = selected.map((name) => SELECTIVE_FIELDS.indexOf(name))
    const some = (await call?.getSelectiveMetagraph?.(NETUID, indexes))?.toJSON() as Record<string, unknown>
    await api.disconnect()
    await network.close()
    const names = ['collateralLocked', 'collateralMin', 'collateralEarned']
    return [whole, some].map((columns) => names.map((name) => columns[name]))
  }

  test('spec 461 appends what each neuron has locked, after the fields whose indexes clients know', async () => {
    const columns = [
      [0, 0, 7, 0],
      [0, 0, 5, 0],
      [0, 0, 3, 0],
    ]
    expect(selected.map((name) => SELECTIVE_FIELDS.indexOf(name))).toEqual([74, 75, 76])
    expect(await answer(461)).toEqual([columns, columns])
  })

  test('spec 425 does not have them', async () => {
    const absent = [undefined, undefined, undefined]
    expect(await answer(425)).toEqual([absent, absent])
  })
})
