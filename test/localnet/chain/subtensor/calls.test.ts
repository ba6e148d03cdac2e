import type { ApiPromise } from '@polkadot/api'
import type { SubmittableExtrinsic } from '@polkadot/api/types'
import type { KeyringPair } from '@polkadot/keyring/types'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { subtensor } from '../../../../src/localnet/chain/runtime/index.js'
import { connect, NETUID, rejectionOf, sendInBlock, startNetwork, type TestNetwork } from '../client.js'

type Calls = (name: string, ...args: unknown[]) => SubmittableExtrinsic<'promise'>

const LOOPBACK = 0x7f000001
const ADDRESS = 0x0a000001

describe('calls of SubtensorModule', () => {
  let network: TestNetwork
  let api: ApiPromise

  beforeEach(async () => {
    network = await startNetwork({ weightsVersionKey: 7 })
    api = await connect(network.url)
  })
  afterEach(async () => {
    await api.disconnect()
    await network.close()
  })

  const call: Calls = (name, ...args) => {
    const method = api.tx.subtensorModule?.[name]
    if (!method) throw new Error(`no call ${name}`)
    return method(...args)
  }
  const neuron = (uid: number) => {
    const found = network.neurons[uid]
    if (!found) throw new Error(`no neuron ${uid}`)
    return found
  }
  const weights = (dests: number[], values: number[], versionKey = 7, netuid = NETUID) =>
    call('setWeights', netuid, dests, values, versionKey)
  const axon = (ip: number | string, port = 8091, ipType = 4) =>
    call('serveAxon', NETUID, 1, ip, port, ipType, 4, 0, 0)
  const send = (extrinsic: SubmittableExtrinsic<'promise'>, signer: KeyringPair) =>
    sendInBlock(network, api, extrinsic, signer)

  test.each([
    ['UidVecContainInvalidOne', [99], [1]],
    ['DuplicateUids', [1, 1], [1, 1]],
    ['WeightVecNotEqualSize', [1], [1, 2]],
    ['UidsLengthExceedUidsInSubNet', [0, 1, 2, 3, 4], [1, 1, 1, 1, 1]],
  ])('set_weights fails with %s', async (name, dests, values) => {
    expect((await send(weights(dests, values), neuron(0).hot)).error).toBe(name)
  })

  test('set_weights fails for the root network, an old version key, a missing permit or too few weights', async () => {
    network.chain.storage.set(subtensor.MinAllowedWeights, 3, NETUID)
    network.chain.storage.set(subtensor.CommitRevealWeightsEnabled, false, 0)
    expect((await send(weights([1], [1], 7, 0), neuron(0).hot)).error).toBe('CanNotSetRootNetworkWeights')
    expect((await send(weights([2, 3], [1, 1], 6), neuron(0).hot)).error).toBe('IncorrectWeightVersionKey')
    expect((await send(weights([0, 1], [1, 1]), neuron(3).hot)).error).toBe('NeuronNoValidatorPermit')
    expect((await send(weights([2, 3], [1, 1]), neuron(0).hot)).error).toBe('WeightVecLengthIsLow')
  })

  test('fails for an unknown mechanism or subnet', async () => {
    const other = call('setMechanismWeights', NETUID, 1, [2], [1], 7)
    expect((await send(other, neuron(0).hot)).error).toBe('MechanismDoesNotExist')
    const register = call('burnedRegister', 9, neuron(0).hot.address)
    expect((await send(register, neuron(0).cold)).error).toBe('SubnetNotExists')
  })

  test('rejects commits while commit-reveal is disabled, and set_weights while it is enabled', async () => {
    const commit = call('commitTimelockedWeights', NETUID, '0x1234', 1, 4)
    expect((await send(commit, neuron(0).hot)).error).toBe('CommitRevealDisabled')
    network.chain.storage.set(subtensor.CommitRevealWeightsEnabled, true, NETUID)
    expect((await send(weights([2], [1]), neuron(0).hot)).error).toBe('CommitRevealEnabled')
    const old = call('commitTimelockedWeights', NETUID, '0x1234', 1, 3)
    expect((await send(old, neuron(0).hot)).error).toBe('IncorrectCommitRevealVersion')
  })

  test('the pool rejects weights within the rate limit with custom error 6', async () => {
    expect((await send(weights([2, 3], [1, 1]), neuron(0).hot)).error).toBeUndefined()
    expect(await rejectionOf(send(weights([2, 3], [1, 1]), neuron(0).hot))).toMatch(/1010.*Custom error: 6$/)
  })

  test('the pool rejects weights below the stake threshold with custom error 1', async () => {
    network.chain.storage.set(subtensor.StakeThreshold, 10n ** 13n)
    expect(await rejectionOf(send(weights([2, 3], [1, 1]), neuron(0).hot))).toMatch(/Custom error: 1$/)
  })

  test.each([
    ['a loopback address', LOOPBACK, 8091, 4, 11],
    ['the broadcast address', 0xffffffff, 8091, 4, 11],
    ['the IPv6 loopback address', 1, 8091, 6, 11],
    ['port 0', ADDRESS, 0, 4, 13],
    ['an unknown IP type', ADDRESS, 8091, 5, 255],
  ])('the pool rejects an axon with %s', async (_, ip, port, ipType, code) => {
    expect(await rejectionOf(send(axon(ip, port, ipType), neuron(2).hot))).toMatch(
      new RegExp(`Custom error: ${code}$`),
    )
  })

  test('the pool rejects an axon of an unregistered hotkey with custom error 10, and within the rate limit with 12', async () => {
    const unregistered = network.keyring.addFromSeed(new Uint8Array(32).fill(200))
    expect(await rejectionOf(send(axon(ADDRESS), unregistered))).toMatch(/Custom error: 10$/)
    await send(axon(ADDRESS), neuron(2).hot)
    expect(await rejectionOf(send(axon(ADDRESS, 8092), neuron(2).hot))).toMatch(/Custom error: 12$/)
  })

  test('a failed registration changes only the nonce and the balance for the fee', async () => {
    network.chain.storage.set(subtensor.Burn, 10n ** 12n, NETUID)
    const unregistered = network.keyring.addFromSeed(new Uint8Array(32).fill(201))
    const outcome = await send(call('burnedRegister', NETUID, unregistered.address), neuron(0).cold)
    expect(outcome.error).toBe('NotEnoughBalanceToStake')
    expect(network.chain.storage.get(subtensor.SubnetworkN, NETUID)).toBe(4)
    expect(network.chain.nextNonce(neuron(0).cold.publicKey)).toBe(1)
  })

  test('burned_register assigns the next uid, or on a full subnet the uid with the lowest emission', async () => {
    const newcomers = [210, 211].map((fill) => network.keyring.addFromSeed(new Uint8Array(32).fill(fill)))
    network.chain.storage.set(subtensor.MaxAllowedUids, 5, NETUID)
    network.chain.storage.set(subtensor.Emission, [9n, 8n, 3n, 5n, 7n], NETUID)
    for (const newcomer of newcomers) {
      const { error } = await send(call('burnedRegister', NETUID, newcomer.address), neuron(0).cold)
      expect(error).toBeUndefined()
      network.chain.storage.set(subtensor.Emission, [9n, 8n, 3n, 5n, 7n], NETUID)
    }
    const uids = newcomers.map(({ publicKey }) =>
      network.chain.storage.get(subtensor.Uids, NETUID, publicKey),
    )
    expect(uids).toEqual([4, 2])
    expect(network.chain.storage.get(subtensor.Uids, NETUID, neuron(2).hot.publicKey)).toBeUndefined()
  })

  test('add_stake and remove_stake move TAO between balance and alpha', async () => {
    const amount = 5_000_000_000n
    const before = network.chain.storage.get(subtensor.TotalHotkeyAlpha, neuron(2).hot.publicKey, NETUID)
    await send(call('addStake', neuron(2).hot.address, NETUID, amount), neuron(2).cold)
    const staked = network.chain.storage.get(subtensor.TotalHotkeyAlpha, neuron(2).hot.publicKey, NETUID)
    expect(staked - before).toBe(amount)
    const tooMuch = call('removeStake', neuron(2).hot.address, NETUID, amount * 2n)
    expect((await send(tooMuch, neuron(2).cold)).error).toBe('NotEnoughStakeToWithdraw')
    await send(call('removeStake', neuron(2).hot.address, NETUID, amount), neuron(2).cold)
    expect(network.chain.storage.get(subtensor.TotalHotkeyAlpha, neuron(2).hot.publicKey, NETUID)).toBe(
      before,
    )
  })
})

test('serve_axon accepts 127.0.0.1 with allowLoopbackAxon', async () => {
  const network = await startNetwork({ allowLoopbackAxon: true })
  const api = await connect(network.url)
  const miner = network.neurons[2]
  const serve = api.tx.subtensorModule?.serveAxon?.(NETUID, 1, LOOPBACK, 8091, 4, 4, 0, 0)
  if (!miner || !serve) throw new Error('no miner or call')
  expect((await sendInBlock(network, api, serve, miner.hot)).error).toBeUndefined()
  await api.disconnect()
  await network.close()
})
