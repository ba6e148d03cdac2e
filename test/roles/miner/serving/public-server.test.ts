import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { listenPublicly } from '../../../../src/roles/miner/serving/public-server.js'
import { ManualClock } from '../../../support/manual-clock.js'

async function startAt(clock: ManualClock) {
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const { port } = holder.address() as AddressInfo
  const stopping = new AbortController()
  const options = {
    host: '127.0.0.1',
    port,
    headerTimeoutMs: 1000,
    bodyTimeoutMs: 1000,
    isTrustedProxy: () => false,
    clock,
  }
  const log = pino({ level: 'silent' })
  const starting = listenPublicly({ ...options, log, signal: stopping.signal, handle: async () => {} })
  starting.catch(() => {})
  const isWaiting = async () => {
    while (clock.waiting === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return { holder, port, stopping, starting, isWaiting }
}

describe('a port in use at the start', () => {
  it('is retried, since the previous process may be about to release it', async () => {
    const clock = new ManualClock()
    const { holder, port, starting, isWaiting } = await startAt(clock)
    await isWaiting()
    await clock.advance(500)
    await isWaiting()
    await new Promise((resolve) => holder.close(resolve))
    await clock.advance(500)
    const server = await starting
    expect(server.port).toBe(port)
    await server.close()
  })

  it('fails with AXON_PORT_UNAVAILABLE when it stays in use', async () => {
    const clock = new ManualClock()
    const { holder, starting, isWaiting } = await startAt(clock)
    for (let pause = 0; pause < 5; pause++) {
      await isWaiting()
      await clock.advance(500)
    }
    await expect(starting).rejects.toMatchObject({ code: 'AXON_PORT_UNAVAILABLE', fault: 'usage' })
    holder.close()
  })

  it('is not waited for once the miner is stopped', async () => {
    const { holder, stopping, starting, isWaiting } = await startAt(new ManualClock())
    await isWaiting()
    stopping.abort(new DOMException('stopped', 'AbortError'))
    await expect(starting).rejects.toMatchObject({ name: 'AbortError' })
    holder.close()
  })
})
