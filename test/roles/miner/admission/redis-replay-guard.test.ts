import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { connectRedisReplayGuard } from '../../../../src/roles/miner/admission/redis-replay-guard.js'
import { ManualClock } from '../../../support/manual-clock.js'

/** Accepts connections and never answers. */
async function startSilentServer() {
  let arrived = () => {}
  const connection = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const server = createServer((socket) => {
    socket.on('error', () => {})
    arrived()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, connection, close: () => server.close() }
}

const common = { self: 'miner', windowMs: 8000, log: pino({ level: 'silent' }) }

describe('connecting to a Redis that does not answer', () => {
  it('ends at once when the miner is stopped', async () => {
    const silent = await startSilentServer()
    const stopping = new AbortController()
    const { signal } = stopping
    // The clock stands still: only the signal can end it.
    const connecting = connectRedisReplayGuard({
      ...common,
      url: silent.url,
      clock: new ManualClock(),
      signal,
    })
    await silent.connection
    stopping.abort(new DOMException('stopped by SIGTERM', 'AbortError'))
    await expect(connecting).rejects.toMatchObject({ name: 'AbortError' })
    silent.close()
  })

  it('fails at its deadline with a reason', async () => {
    const silent = await startSilentServer()
    const clock = new ManualClock()
    const { signal } = new AbortController()
    const connecting = connectRedisReplayGuard({ ...common, url: silent.url, clock, signal })
    const outcome = expect(connecting).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
    await silent.connection
    await clock.advance(10_000)
    await outcome
    silent.close()
  })
})
