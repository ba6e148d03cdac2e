import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { startDevelopmentChain } from '../../../src/localnet/chain/index.js'
import { ManualClock } from '../../support/manual-clock.js'
import { connect, NETUID, refusalOf, startNetwork } from './client.js'

describe('the life of a development chain', () => {
  test('makes a block per interval and finalises behind the head', async () => {
    const clock = new ManualClock()
    const network = await startDevelopmentChain({ blockTimeMs: 1000, finalityLag: 2 }, { clock })
    await clock.advance(4000)
    expect(network.chain.head.number).toBe(4)
    expect(network.chain.finalized.number).toBe(2)
    await network.close()
    await clock.advance(4000)
    expect(network.chain.head.number).toBe(4)
  })

  test('a stalled chain lets its head grow old until the fault ends', async () => {
    const clock = new ManualClock()
    const network = await startDevelopmentChain({ blockTimeMs: 1000 }, { clock })
    network.faults.set({ stalled: true })
    await clock.advance(3000)
    expect(network.chain.head.number).toBe(0)
    network.faults.clear()
    await clock.advance(1000)
    expect(network.chain.head.number).toBe(1)
    await network.close()
  })

  test('finality never comes in the same tick as the block, so that watchers see both', async () => {
    const network = await startNetwork({ finalityLag: 0 })
    const api = await connect(network.url)
    const statuses: string[] = []
    const finalized = new Promise<void>((resolve, reject) => {
      const miner = network.neurons[2]
      const serve = api.tx.subtensorModule?.serveAxon?.(NETUID, 1, 0x0a000001, 8091, 4, 4, 0, 0)
      if (!miner || !serve) throw new Error('no miner or call')
      const onResult = ({ status }: { status: { type: string } }) => {
        statuses.push(status.type)
        if (status.type === 'Finalized') resolve()
        else network.chain.produceBlock()
      }
      serve.signAndSend(miner.hot, { nonce: -1 }, onResult).catch(reject)
    })
    await finalized
    expect(statuses).toEqual(['Ready', 'InBlock', 'Finalized'])
    await api.disconnect()
    await network.close()
  })

  test('an automatic chain makes a block when a transaction arrives', async () => {
    const network = await startNetwork({ sealing: 'auto' })
    const api = await connect(network.url)
    const miner = network.neurons[2]
    const serve = api.tx.subtensorModule?.serveAxon?.(NETUID, 1, 0x0a000001, 8091, 4, 4, 0, 0)
    if (!miner || !serve) throw new Error('no miner or call')
    const included = new Promise<void>((resolve) => {
      network.chain.onBlock.add((block) => {
        if (block.extrinsics.length === 2) resolve()
      })
    })
    await serve.signAndSend(miner.hot, { nonce: -1 })
    await included
    await api.disconnect()
    await network.close()
  })

  test('the abort signal ends it and cuts its clients', async () => {
    const stop = new AbortController()
    const { url } = await startDevelopmentChain({ sealing: 'manual' }, { signal: stop.signal })
    const socket = new WebSocket(url)
    await new Promise((resolve) => socket.once('open', resolve))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    stop.abort()
    await closed
  })

  test('a port in use is an error that names it', async () => {
    const first = await startDevelopmentChain({ sealing: 'manual' })
    const port = Number(new URL(first.url).port)
    const refusal = await refusalOf(startDevelopmentChain({ sealing: 'manual', port }))
    expect(refusal).toContain(`127.0.0.1:${port}`)
    await first.close()
  })

  test('two chains in one process keep their dialects and state apart', async () => {
    const [old, current] = await Promise.all([startNetwork({ specVersion: 343 }), startNetwork()])
    current.chain.produceBlock()
    expect([old.chain.head.number, current.chain.head.number]).toEqual([0, 1])
    const [oldApi, currentApi] = await Promise.all([connect(old.url), connect(current.url)])
    expect(oldApi.runtimeVersion.specVersion.toNumber()).toBe(343)
    expect(currentApi.runtimeVersion.specVersion.toNumber()).toBe(425)
    expect(oldApi.genesisHash.toHex()).not.toBe(currentApi.genesisHash.toHex())
    await Promise.all([oldApi.disconnect(), currentApi.disconnect()])
    await Promise.all([old.close(), current.close()])
  })
})
