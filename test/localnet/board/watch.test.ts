import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Subtensor } from '../../../src/chain/index.js'
import { systemClock } from '../../../src/kernel/clock.js'
import { createDeferred } from '../../../src/kernel/deferred.js'
import { TargonError } from '../../../src/kernel/errors.js'
import { type Snapshot, Watch } from '../../../src/localnet/board/index.js'
import { castWith } from '../../../src/localnet/network/index.js'
import { type Subnet, startSubnet } from '../../chain/subnet.js'

let subnet: Subnet
let stop: AbortController
let seen: Snapshot[]

beforeEach(async () => {
  subnet = await startSubnet()
  stop = new AbortController()
  seen = []
})
afterEach(async () => {
  subnet.dev.faults.clear()
  await subnet.close()
})

const ctrlC = () => stop.abort(new DOMException('stopped by SIGINT', 'AbortError'))

function watch(chain: Pick<Subtensor, 'head' | 'metagraph' | 'weightsOf'>, validatorUrl?: string) {
  const first = createDeferred<Snapshot>()
  const onSnapshot = (snapshot: Snapshot) => {
    seen.push(snapshot)
    first.resolve(snapshot)
  }
  const run = new Watch(
    { epochs: undefined, epochBlocks: 30, addresses: ['hk-0', 'hk-1'], cast: castWith([]).slice(0, 1) },
    { clock: systemClock, signal: stop.signal, chain, validatorUrl, onSnapshot },
  ).run()
  return { run, first: first.promise }
}

describe('Ctrl-C while the board is read', () => {
  it('returns the last snapshot when a read is waiting for the chain', async () => {
    const chain = await subnet.connect({ rpcTimeoutMs: 60_000 })
    const reading = createDeferred<void>()
    const { run, first } = watch({
      head: () => chain.head(),
      metagraph: (...given) => {
        if (seen.length > 0) {
          subnet.dev.faults.set({ silent: true })
          reading.resolve()
        }
        return chain.metagraph(...given)
      },
      weightsOf: (...given) => chain.weightsOf(...given),
    })
    await first
    await reading.promise
    ctrlC()
    expect(await run).toBe(seen.at(-1))
  })

  it('returns the last snapshot when the stopped chain closes the connection', async () => {
    const lost = new TargonError('Lost the connection to ws://127.0.0.1:1: closed by this node.', {
      code: 'CHAIN_CONNECTION_LOST',
      fault: 'unreachable',
    })
    const chain = await subnet.connect()
    const { run, first } = watch({
      head: () => chain.head(),
      metagraph: (netuid) => {
        if (seen.length === 0) return chain.metagraph(netuid)
        ctrlC()
        return Promise.reject(lost)
      },
      weightsOf: (...given) => chain.weightsOf(...given),
    })
    await first
    expect(await run).toBe(seen.at(-1))
  })

  it('returns the last snapshot when the validator’s status is read', async () => {
    const asked = createDeferred<void>()
    const server = createServer(() => asked.resolve())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const chain = await subnet.connect()
    const { run } = watch(chain, `http://127.0.0.1:${port}`)
    await asked.promise
    ctrlC()
    expect(await run).toBeUndefined()
    server.closeAllConnections()
    server.close()
  })

  it('reports what a read failed with without a stop', async () => {
    const { run } = watch({
      head: () => ({ number: 1, hash: '0x' }),
      metagraph: () => Promise.reject(new Error('the chain is broken')),
      weightsOf: async () => [],
    })
    await expect(run).rejects.toThrow('the chain is broken')
  })
})
