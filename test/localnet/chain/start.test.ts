import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { startDevelopmentChain } from '../../../src/localnet/chain/index.js'
import { ManualClock } from '../../support/manual-clock.js'
import { connect, NETUID, rejectionOf, startNetwork } from './client.js'

describe('startDevelopmentChain', () => {
  test('produces a block per interval and finalizes behind the head', async () => {
    const clock = new ManualClock()
    const network = await startDevelopmentChain({ blockTimeMs: 1000, finalityLag: 2 }, { clock })
    await clock.advance(4000)
    expect(network.chain.head.number).toBe(4)
    expect(network.chain.finalized.number).toBe(2)
    await network.close()
    await clock.advance(4000)
    expect(network.chain.head.number).toBe(4)
  })

  test('stops producing blocks while the chain is stalled', async () => {
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

  test('notifies a watcher of inclusion and finality separately', async () => {
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

  test('produces a block when a transaction arrives with sealing "auto"', async () => {
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

  test('disconnects its clients when the signal aborts', async () => {
    const stop = new AbortController()
    const { url } = await startDevelopmentChain({ sealing: 'manual' }, { signal: stop.signal })
    const socket = new WebSocket(url)
    await new Promise((resolve) => socket.once('open', resolve))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    stop.abort()
    await closed
  })

  test('names the port in the error when it is already in use', async () => {
    const first = await startDevelopmentChain({ sealing: 'manual' })
    const port = Number(new URL(first.url).port)
    const rejection = await rejectionOf(startDevelopmentChain({ sealing: 'manual', port }))
    expect(rejection).toContain(`127.0.0.1:${port}`)
    await first.close()
  })

  test('keeps the dialects and state of two chains in one process separate', async () => {
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
