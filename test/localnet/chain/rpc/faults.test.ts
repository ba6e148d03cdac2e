import type { ApiPromise } from '@polkadot/api'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { subtensor } from '../../../../src/localnet/chain/runtime/index.js'
import { connect, NETUID, rejectionOf, startNetwork, type TestNetwork } from '../client.js'

describe('faults and dev_* methods', () => {
  let network: TestNetwork
  let api: ApiPromise

  beforeEach(async () => {
    network = await startNetwork()
    api = await connect(network.url)
  })
  afterEach(async () => {
    await api.disconnect()
    await network.close()
  })

  /** Calls over HTTP, so that dropped sockets do not matter. */
  async function post(
    method: string,
    ...params: unknown[]
  ): Promise<{ result?: unknown; error?: { code: number } }> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const response = await fetch(network.httpUrl, { method: 'POST', body })
    return (await response.json()) as { result?: unknown; error?: { code: number } }
  }

  const serveAxon = async () => {
    const miner = network.neurons[2]
    const extrinsic = api.tx.subtensorModule?.serveAxon?.(NETUID, 1, 0x0a000001, 8091, 4, 4, 0, 0)
    if (!miner || !extrinsic) throw new Error('no miner or call')
    return await extrinsic.signAsync(miner.hot, { nonce: -1 })
  }

  test('a client can reconnect and resubscribe after its connection is dropped', async () => {
    const heads: number[] = []
    await api.rpc.chain.subscribeNewHeads((header) => void heads.push(header.number.toNumber()))
    const reconnected = new Promise<void>((resolve) => {
      api.on('connected', () => resolve())
    })
    await post('dev_dropConnections')
    await reconnected
    const seen = new Promise<void>((resolve) => {
      void api.rpc.chain.subscribeNewHeads((header) => {
        if (header.number.toNumber() === 1) resolve()
      })
    })
    await post('dev_newBlock')
    await seen
  })

  test('a silent node answers dev_* calls only', async () => {
    expect((await post('dev_fault', { silent: true })).result).toMatchObject({ silent: true })
    const socket = new WebSocket(network.url)
    const answers: string[] = []
    socket.on('message', (data) => answers.push(String(data)))
    await new Promise((resolve) => socket.once('open', resolve))
    const controlled = new Promise((resolve) => socket.once('message', resolve))
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'system_health' }))
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'dev_newBlock' }))
    await controlled
    expect(answers.map((answer) => JSON.parse(answer).id)).toEqual([2])
    socket.terminate()
    await post('dev_clearFaults')
  })

  test('refuseConnections closes new connections', async () => {
    await post('dev_fault', { refuseConnections: true })
    const socket = new WebSocket(network.url)
    const ended = await new Promise((resolve) => {
      socket.once('close', () => resolve('closed'))
      socket.once('error', () => resolve('error'))
      socket.once('message', () => resolve('message'))
    })
    expect(['closed', 'error']).toContain(ended)
    await post('dev_clearFaults')
  })

  test.each([
    ['banned', /1012/],
    ['priority', /1014/],
    ['stale', /1010.*outdated/],
  ] as const)('rejects the next submission as %s, but not the one after it', async (fault, text) => {
    await post('dev_failSubmissions', fault)
    const signed = await serveAxon()
    expect(await rejectionOf(api.rpc.author.submitExtrinsic(signed))).toMatch(text)
    expect(await rejectionOf(api.rpc.author.submitExtrinsic(signed))).toBe('accepted')
  })

  test('acknowledges a swallowed transaction without including it in a block', async () => {
    await post('dev_failSubmissions', 'swallowed')
    const signed = await serveAxon()
    expect((await api.rpc.author.submitExtrinsic(signed)).toHex()).toBe(signed.hash.toHex())
    expect(network.chain.produceBlock().extrinsics).toHaveLength(1)
  })

  test('includes a transaction in a block although its reply was lost', async () => {
    await post('dev_failSubmissions', 'lost-reply')
    const signed = await serveAxon()
    expect(await rejectionOf(api.rpc.author.submitExtrinsic(signed))).toMatch(/disconnected/)
    expect(network.chain.produceBlock().extrinsics).toHaveLength(2)
  })

  test('notifies the head, its parent and the head again with repeatedHeads', async () => {
    await post('dev_fault', { repeatedHeads: true })
    const numbers: number[] = []
    const enough = new Promise<void>((resolve) => {
      void api.rpc.chain.subscribeNewHeads((header) => {
        numbers.push(header.number.toNumber())
        if (numbers.length === 4) resolve()
      })
    })
    await api.rpc.chain.getHeader()
    network.chain.produceBlock()
    await enough
    expect(numbers).toEqual([0, 1, 0, 1])
  })

  test('dev_setStorage writes raw storage in a new block', async () => {
    const key = api.query.subtensorModule?.tempo?.key(NETUID)
    await post('dev_setStorage', [[key, '0x0500']])
    expect((await api.query.subtensorModule?.tempo?.(NETUID))?.toString()).toBe('5')
    expect(network.chain.storage.get(subtensor.Tempo, NETUID)).toBe(5)
  })

  test('rejects invalid parameters, unsupported spec versions and unknown methods', async () => {
    expect((await post('dev_fault', { slient: true })).error?.code).toBe(-32602)
    expect((await post('dev_newBlock', 0)).error?.code).toBe(-32602)
    expect((await post('dev_upgrade', 100)).error?.code).toBe(-32602)
    expect((await post('dev_nothing')).error?.code).toBe(-32601)
  })

  test('dev_upgrade switches to an older dialect with its storage items, calls and runtime APIs', async () => {
    await post('dev_upgrade', 343)
    const old = await connect(network.url)
    expect(old.runtimeVersion.specVersion.toNumber()).toBe(343)
    expect(old.call.subnetInfoRuntimeApi?.getNextEpochStartBlock).toBeUndefined()
    expect(old.query.subtensorModule?.rank).toBeDefined()
    await old.disconnect()
    await post('dev_upgrade', 293)
    const older = await connect(network.url)
    expect(older.tx.subtensorModule?.setMechanismWeights).toBeUndefined()
    expect(older.tx.subtensorModule?.commitCrv3Weights).toBeDefined()
    await older.disconnect()
  })

  test('dev_upgrade removes a call, a storage item and a runtime API method', async () => {
    await post('dev_upgrade', 426, [
      'set_mechanism_weights',
      'WeightsVersionKey',
      'SubnetInfoRuntimeApi_get_metagraph',
    ])
    const reduced = await connect(network.url)
    expect(reduced.tx.subtensorModule?.setMechanismWeights).toBeUndefined()
    expect(reduced.tx.subtensorModule?.setWeights).toBeDefined()
    expect(reduced.query.subtensorModule?.weightsVersionKey).toBeUndefined()
    expect(reduced.call.subnetInfoRuntimeApi?.getMetagraph).toBeUndefined()
    const answer = await post('state_call', 'SubnetInfoRuntimeApi_get_metagraph', '0x0400')
    expect(answer.error?.code).toBe(4003)
    await reduced.disconnect()
  })
})
