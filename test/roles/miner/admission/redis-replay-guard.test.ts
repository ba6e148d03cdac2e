import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { connectRedisReplayGuard } from '../../../../src/roles/miner/admission/redis-replay-guard.js'
import { ManualClock } from '../../../support/manual-clock.js'

/** Takes connections and never says a word. */
async function startSilence() {
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

describe('connecting to a Redis that says nothing', () => {
  it('ends at once when the miner is asked to stop', async () => {
    const silence = await startSilence()
    const stopping = new AbortController()
    const { signal } = stopping
    // No time passes: nothing but the signal can end it.
    const connecting = connectRedisReplayGuard({
      ...common,
      url: silence.url,
      clock: new ManualClock(),
      signal,
    })
    await silence.connection
    stopping.abort(new DOMException('stopped by SIGTERM', 'AbortError'))
    await expect(connecting).rejects.toMatchObject({ name: 'AbortError' })
    silence.close()
  })

  it('ends at its deadline with the reason', async () => {
    const silence = await startSilence()
    const clock = new ManualClock()
    const { signal } = new AbortController()
    const connecting = connectRedisReplayGuard({ ...common, url: silence.url, clock, signal })
    const outcome = expect(connecting).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
    await silence.connection
    await clock.advance(10_000)
    await outcome
    silence.close()
  })
})
