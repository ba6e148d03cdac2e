import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { Courier } from '../../src/alerts/courier.js'
import type { AlertChange } from '../../src/alerts/types.js'
import { ManualClock } from '../support/manual-clock.js'

const source = { role: 'validator', name: 'validator', netuid: 4, hotkey: '5Hot', version: '5.0.0' } as const

function change(id: string, kind: AlertChange['kind'] = 'raised'): AlertChange {
  const alert = {
    id,
    severity: 'critical',
    sentence: `${id} is wrong.`,
    since: '2026-01-01T00:00:00.000Z',
  } as const
  return { kind, alert, lastedMs: 0 }
}

interface Received {
  readonly headers: IncomingHttpHeaders
  readonly ids: readonly string[]
}

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A webhook that answers with the given statuses, then with 204; `hang` never answers. */
async function startReceiver(statuses: readonly (number | 'hang' | 'later')[] = []) {
  const received: Received[] = []
  const left = [...statuses]
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const { alerts } = JSON.parse(body) as { alerts: { id: string; status: string }[] }
      received.push({ headers: request.headers, ids: alerts.map(({ id, status }) => `${id} ${status}`) })
      const status = left.shift() ?? 204
      if (status === 'hang') return
      if (status === 'later') response.writeHead(429, { 'retry-after': '120' })
      else response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/' } : {})
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  closing.push(close)
  return { url: `http://127.0.0.1:${port}/hooks/T0KEN`, received, close }
}

function startCourier(url: string, secret?: string) {
  const clock = new ManualClock()
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line)) })
  const attempts: string[] = []
  const courier = new Courier({
    ...{ clock, log, source, receiver: { url, secret } },
    onAttempt: (result) => void attempts.push(result),
  })
  closing.push(() => courier.close())
  return { clock, lines, courier, attempts }
}

describe('the courier', () => {
  it('sends what happens together in one message, with the secret in a header', async () => {
    const { url, received } = await startReceiver()
    const { courier } = startCourier(url, 'S3CRET')
    courier.tell([change('a'), change('b')])
    await expect.poll(() => received.length).toBe(1)
    expect(received[0]?.ids).toEqual(['a raised', 'b raised'])
    expect(received[0]?.headers.authorization).toBe('Bearer S3CRET')
    expect(received[0]?.headers['content-type']).toBe('application/json')
  })

  it('sends at most one message in ten seconds', async () => {
    const { url, received } = await startReceiver()
    const { courier, clock, attempts } = startCourier(url)
    courier.tell([change('a')])
    await expect.poll(() => attempts).toEqual(['sent'])
    for (const id of ['b', 'c', 'd']) courier.tell([change(id)])
    await clock.advance(9000)
    expect(received).toHaveLength(1)
    await clock.advance(1000)
    await expect.poll(() => received.length).toBe(2)
    expect(received[1]?.ids).toEqual(['b raised', 'c raised', 'd raised'])
  })

  it('tries again with growing pauses, and tells only what is still news', async () => {
    const { url, received } = await startReceiver([500, 503, 500])
    const { courier, clock, attempts, lines } = startCourier(url)
    courier.tell([change('a'), change('b')])
    await expect.poll(() => attempts).toEqual(['failed'])
    await clock.advance(10_000)
    await expect.poll(() => attempts.length).toBe(2)
    await clock.advance(10_000)
    await expect.poll(() => attempts.length).toBe(3)
    await clock.advance(19_000)
    expect(attempts).toHaveLength(3)
    courier.tell([change('c')])
    await clock.advance(1000)
    await expect.poll(() => attempts).toEqual(['failed', 'failed', 'failed', 'sent'])
    expect(received.at(-1)?.ids).toEqual(['a raised', 'b raised', 'c raised'])
    const warnings = lines.filter(({ level }) => level === 40)
    expect(warnings).toMatchObject([{ event: 'alert-not-sent', reason: 'status 500' }])
    await expect.poll(() => lines.some(({ event }) => event === 'alert-webhook-recovered')).toBe(true)
    expect(JSON.stringify(lines)).not.toContain('T0KEN')
  })

  it('waits as long as the receiver asks', async () => {
    const { url } = await startReceiver(['later'])
    const { courier, clock, attempts } = startCourier(url)
    courier.tell([change('a')])
    await expect.poll(() => attempts).toEqual(['failed'])
    await clock.advance(119_000)
    expect(attempts).toHaveLength(1)
    await clock.advance(1000)
    await expect.poll(() => attempts).toEqual(['failed', 'sent'])
  })

  it.each([404, 401, 302])(
    'does not repeat a message that gets status %s, and logs it without the address',
    async (status) => {
      const { url, received } = await startReceiver([status])
      const { courier, clock, attempts, lines } = startCourier(url, 'S3CRET')
      courier.tell([change('a')])
      await expect.poll(() => attempts).toEqual(['refused'])
      await clock.advance(600_000)
      expect(received).toHaveLength(1)
      expect(lines).toMatchObject([
        { event: 'alert-refused', level: 50, reason: `status ${status}`, alerts: 1 },
      ])
      expect(JSON.stringify(lines)).not.toMatch(/T0KEN|S3CRET/)
    },
  )

  it('gives up on a receiver that does not answer, and survives one that is not there', async () => {
    const { url, received, close } = await startReceiver(['hang'])
    const { courier, clock, attempts } = startCourier(url)
    courier.tell([change('a')])
    await expect.poll(() => received.length).toBe(1)
    await clock.advance(10_000)
    await expect.poll(() => attempts).toEqual(['failed'])
    await close()
    await clock.advance(10_000)
    await expect.poll(() => attempts).toEqual(['failed', 'failed'])
  })

  it('sends once more at the end what waits, and ends in time when the receiver hangs', async () => {
    const { url, received } = await startReceiver([500, 204, 'hang', 'hang'])
    const first = startCourier(url)
    first.courier.tell([change('a')])
    await expect.poll(() => first.attempts).toEqual(['failed'])
    await first.courier.close()
    expect(received.map(({ ids }) => ids)).toEqual([['a raised'], ['a raised']])

    const second = startCourier(url)
    second.courier.tell([change('b')])
    await expect.poll(() => received.length).toBe(3)
    let isClosed = false
    const ended = second.courier.close().then(() => {
      isClosed = true
    })
    await expect.poll(() => received.length).toBe(4)
    await second.clock.advance(2900)
    expect(isClosed).toBe(false)
    await second.clock.advance(100)
    await ended
    expect(isClosed).toBe(true)
  })
})
