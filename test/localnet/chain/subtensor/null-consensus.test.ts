import type { ApiPromise } from '@polkadot/api'
import { afterEach, describe, expect, test } from 'vitest'
import { subtensor } from '../../../../src/localnet/chain/runtime/index.js'
import type { EpochInput } from '../../../../src/localnet/chain/subtensor/epoch-types.js'
import { runNull } from '../../../../src/localnet/chain/subtensor/null-consensus.js'
import { connect, NETUID, rejectionOf, sendInBlock, startNetwork, type TestNetwork } from '../client.js'

const TEMPO = 10

/** The scenarios of tests/null_consensus.rs of the runtime: two stakes, and two neurons to be paid. */
function input(changes: Partial<EpochInput> = {}): EpochInput {
  return {
    block: 10,
    tempo: TEMPO,
    stake: [300, 100, 0, 0],
    permits: [true, true, false, false],
    lastUpdate: [1, 1, 1, 1],
    registeredAt: [0, 0, 0, 0],
    lastStepBlock: 1,
    activityCutoff: 5000,
    maxValidators: 1,
    kappa: 0.5,
    bondsMovingAverage: 0.9,
    weights: [
      [
        [2, 3],
        [3, 1],
      ],
      [[3, 65_535]],
      [],
      [],
    ],
    bonds: [[], [], [], []],
    ...changes,
  }
}

describe('an epoch under Null consensus', () => {
  test('pays miners by the weights of the largest stake and stake by its share, half each', () => {
    const output = runNull(input())
    expect(output.permits).toEqual([true, false, false, false])
    expect(output.incentive).toEqual([0, 0, 0.75, 0.25])
    expect(output.emission).toEqual([0.375, 0.125, 0.375, 0.125])
    expect(output.consensus).toEqual([0, 0, 0, 0])
    expect(output.bonds).toBeUndefined()
  })

  test('counts stake and weights of a validator that is not active any more', () => {
    const output = runNull(input({ block: 100_000 }))
    expect(output.active).toEqual([false, false, false, false])
    expect(output.incentive).toEqual([0, 0, 0.75, 0.25])
  })

  test('gives the permit to the first of two equal stakes', () => {
    expect(runNull(input({ stake: [100, 100, 0, 0] })).permits).toEqual([true, false, false, false])
  })

  test('pays every neuron the same when the winner has no weights, or only for a replaced neuron', () => {
    const equal = [0.25, 0.25, 0.25, 0.25]
    expect(runNull(input({ weights: [[], [[3, 1]], [], []] })).incentive).toEqual(equal)
    const replaced = input({ weights: [[[2, 1]], [], [], []], registeredAt: [0, 0, 2, 0] })
    expect(runNull(replaced).incentive).toEqual(equal)
  })

  test('pays only miners when nobody has stake, and gives no permit', () => {
    const output = runNull(input({ stake: [0, 0, 0, 0] }))
    expect(output.emission).toEqual([0.25, 0.25, 0.25, 0.25])
    expect(output.permits).toEqual([false, false, false, false])
  })
})

describe('a subnet that switches to Null consensus', () => {
  let network: TestNetwork
  let api: ApiPromise

  const start = async (specVersion: number, commitReveal = false) => {
    network = await startNetwork({ specVersion, commitReveal, tempo: TEMPO, weightsSetRateLimit: 0 })
    api = await connect(network.url)
  }
  afterEach(async () => {
    await api.disconnect()
    await network.close()
  })
  const permits = () => network.chain.storage.get(subtensor.ValidatorPermit, NETUID)
  const runNextEpoch = () => {
    for (let block = 0; block < TEMPO; block++) network.chain.produceBlock()
  }
  const send = async (uid: number, method: string, ...args: unknown[]) => {
    const neuron = network.neurons[uid]
    const extrinsic = api.tx.subtensorModule?.[method]?.(NETUID, ...args)
    if (!neuron || !extrinsic) throw new Error(`no ${method}`)
    return await sendInBlock(network, api, extrinsic, neuron.hot)
  }
  const commit = (uid: number, bytes: number) =>
    send(uid, 'commitTimelockedWeights', `0x${'00'.repeat(bytes)}`, 1_000_000, 4)

  test('keeps one permit from the next epoch on, and the old ones return with Yuma consensus', async () => {
    await start(475)
    network.setConsensus('Null')
    expect(permits()).toEqual([true, true, false, false])
    expect(network.chain.storage.get(subtensor.MaxAllowedValidators, NETUID)).toBe(1)
    runNextEpoch()
    expect(permits()).toEqual([true, false, false, false])
    expect((await api.query.subtensorModule?.subnetEpochConsensus?.(NETUID))?.toString()).toBe('Null')
    network.setConsensus('Yuma')
    runNextEpoch()
    expect(permits()).toEqual([true, true, false, false])
    expect(network.chain.storage.get(subtensor.MaxAllowedValidators, NETUID)).toBe(128)
  })

  test('takes weights only from the holder of the permit, as they are', async () => {
    await start(475)
    network.setConsensus('Null')
    runNextEpoch()
    expect(await rejectionOf(send(1, 'setWeights', [2], [1], 0))).toContain('Custom error: 255')
    expect((await send(0, 'setWeights', [2, 3], [3, 1], 0)).error).toBeUndefined()
    expect(network.chain.storage.get(subtensor.Weights, NETUID, 0)).toEqual([
      [2, 3],
      [3, 1],
    ])
    runNextEpoch()
    expect(network.chain.storage.get(subtensor.Incentive, NETUID)).toEqual([0, 0, 49_151, 16_383])
  })

  test('asks a client for the mode by the name that the runtime gives it', async () => {
    await start(475)
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'dev_setConsensus', params: ['Null'] })
    await fetch(network.httpUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    expect((await api.query.subtensorModule?.subnetEpochConsensus?.(NETUID))?.toString()).toBe('Null')
  })

  test('is refused by a runtime without consensus modes', async () => {
    await start(461)
    expect(() => network.setConsensus('Null')).toThrow('spec 461 has no consensus modes')
    expect(api.query.subtensorModule?.subnetEpochConsensus).toBeUndefined()
  })

  test('is refused while commits wait for their reveal', async () => {
    await start(475, true)
    expect((await commit(0, 100)).error).toBeUndefined()
    expect(() => network.setConsensus('Null')).toThrow('InvalidValue')
    runNextEpoch()
    runNextEpoch()
    network.setConsensus('Null')
  })

  test('accepts larger commits, until the queue of the epoch is full', async () => {
    await start(475, true)
    expect((await commit(0, 5001)).error).toBe('CommitPayloadTooLarge')
    network.setConsensus('Null')
    runNextEpoch()
    expect(await rejectionOf(commit(1, 100))).toContain('Custom error: 255')
    const outcomes = [await commit(0, 32_768), await commit(0, 32_768), await commit(0, 1)]
    expect(outcomes.map(({ error }) => error)).toEqual([undefined, undefined, 'CommitQueueFull'])
  })

  test('older runtimes do not even decode a commit of more than 5,000 bytes', async () => {
    await start(461, true)
    expect(await rejectionOf(commit(0, 5001))).toContain('BoundedVec exceeds its limit')
    expect((await commit(0, 5000)).error).toBeUndefined()
  })
})
