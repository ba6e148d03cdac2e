import { createServer, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { STUCK_MS } from '../../src/page/event-client.js'
import { HEARTBEAT_MS, LiveEvents, MAX_CLIENTS, UPDATE_MS } from '../../src/page/live-events.js'
import { ManualClock } from '../support/manual-clock.js'

interface Event {
  readonly event: string
  readonly id: string | undefined
  readonly data: unknown
}

/** The finished events in what a page has received. */
function eventsIn(text: string): Event[] {
  const blocks = text.slice(text.indexOf('\r\n\r\n') + 4).split('\n\n')
  return blocks.slice(0, -1).map((block) => {
    const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1]
    return { event: field('event') ?? '', id: field('id'), data: JSON.parse(field('data') || 'null') }
  })
}

describe('live events', () => {
  let clock: ManualClock
  let live: LiveEvents
  let server: Server
  let responses: ServerResponse[]
  let reads: number
  let block: number
  let padding: string
  const sockets: Socket[] = []

  beforeEach(async () => {
    clock = new ManualClock()
    responses = []
    reads = 0
    block = 1
    padding = ''
    live = new LiveEvents({
      clock,
      log: pino({ level: 'silent' }),
      read: () => {
        reads++
        return { status: { block, padding } }
      },
      rowKeys: {},
    })
    server = createServer((_, response) => {
      responses.push(response)
      if (!live.connect(response)) response.writeHead(503).end()
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
  })

  afterEach(async () => {
    live.close()
    for (const socket of sockets.splice(0)) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })

  /** Opens a page without an HTTP client between, so that a test decides when it reads. */
  function open() {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    sockets.push(socket)
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk
    })
    socket.write('GET /events HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n')
    return { socket, text: () => text, events: () => eventsIn(text) }
  }

  it('sends everything to a page that opens, then what changed', async () => {
    const page = open()
    await expect.poll(page.events).toMatchObject([{ event: 'snapshot', data: { status: { block: 1 } } }])
    expect(page.text()).toContain('retry: 2000\n')
    expect(page.text()).toMatch(/content-type: text\/event-stream/)
    block = 2
    await clock.advance(UPDATE_MS)
    await expect
      .poll(page.events)
      .toMatchObject([{}, { event: 'change', data: { status: { set: { block: 2 } } } }])
    const [first, second] = page.events()
    expect(Number(second?.id)).toBeGreaterThan(Number(first?.id))
  })

  it('reads nothing while no page is open', async () => {
    await clock.advance(10 * UPDATE_MS)
    expect(reads).toBe(0)
    const page = open()
    await expect.poll(page.events).toHaveLength(1)
    page.socket.destroy()
    await expect.poll(() => live.clients).toBe(0)
    const before = reads
    await clock.advance(10 * UPDATE_MS)
    expect(reads).toBe(before)
    expect(clock.waiting).toBe(0)
  })

  it('shows that it lives when nothing changes', async () => {
    const page = open()
    await expect.poll(page.events).toHaveLength(1)
    await clock.advance(HEARTBEAT_MS)
    await expect.poll(page.events).toMatchObject([{}, { event: 'alive' }])
  })

  it('gives a page that connects again the whole state', async () => {
    const first = open()
    await expect.poll(first.events).toHaveLength(1)
    first.socket.destroy()
    block = 7
    const second = open()
    await expect.poll(second.events).toMatchObject([{ event: 'snapshot', data: { status: { block: 7 } } }])
  })

  it('refuses pages beyond the limit, and takes one again when another has left', async () => {
    const pages = Array.from({ length: MAX_CLIENTS }, open)
    for (const page of pages) await expect.poll(page.events).toHaveLength(1)
    const late = open()
    await expect.poll(late.text).toContain('503')
    pages[0]?.socket.destroy()
    await expect.poll(() => live.clients).toBe(MAX_CLIENTS - 1)
    await expect.poll(open().events).toHaveLength(1)
  })

  it('keeps little for a page that does not read, and brings it up to date when it does', async () => {
    const page = open()
    await expect.poll(page.events).toHaveLength(1)
    page.socket.pause()
    const [response] = responses
    const sizes: number[] = []
    for (let round = 0; round < 40; round++) {
      padding = String(round).repeat(1 << 19)
      block++
      await clock.advance(UPDATE_MS / 2)
      sizes.push(response?.writableLength ?? 0)
    }
    // Without a bound these would be 20 MB.
    expect(Math.max(...sizes)).toBeLessThan(3 << 20)
    page.socket.resume()
    await expect
      .poll(() => page.events().at(-1))
      .toMatchObject({ event: 'snapshot', data: { status: { block } } })
  })

  it('drops a page that has read nothing for half a minute', async () => {
    const page = open()
    await expect.poll(page.events).toHaveLength(1)
    page.socket.pause()
    padding = 'x'.repeat(8 << 20)
    await clock.advance(UPDATE_MS)
    expect(live.clients).toBe(1)
    await clock.advance(STUCK_MS + UPDATE_MS)
    await expect.poll(() => live.clients).toBe(0)
  })

  it('masks the passwords of addresses', async () => {
    padding = 'wss://ops:hunter2@node:9944'
    const page = open()
    await expect.poll(page.events).toHaveLength(1)
    expect(page.text()).toContain('wss://ops:[redacted]@node:9944')
    expect(page.text()).not.toContain('hunter2')
  })

  it('ends the streams when it closes, and takes no more', async () => {
    const page = open()
    await expect.poll(page.events).toHaveLength(1)
    live.close()
    await expect.poll(() => page.socket.readyState).not.toBe('open')
    await expect.poll(open().text).toContain('503')
  })
})
