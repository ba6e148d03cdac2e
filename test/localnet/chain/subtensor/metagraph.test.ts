import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { METAGRAPH_FIELDS } from '../../../../src/localnet/chain/runtime/index.js'
import {
  hyperparametersOf,
  metagraphOf,
  type ReadContext,
  selectMetagraph,
} from '../../../../src/localnet/chain/subtensor/index.js'
import { NETUID, startNetwork, type TestNetwork } from '../client.js'

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
    const hotkeys = METAGRAPH_FIELDS.indexOf('hotkeys')
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
