import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createServer as createSecureServer } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Connection } from '../../src/routing/connection.js'
import { Connections } from '../../src/routing/connections.js'
import { ManualClock } from '../support/manual-clock.js'

interface Received {
  status: number
  text: string
  end: 'end' | 'error' | undefined
  error: string
}

describe('connection to a model server', () => {
  const sockets: Socket[] = []
  let script: (socket: Socket, request: string) => void
  const clock = new ManualClock()
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.setNoDelay(true)
    let text = ''
    socket
      .on('error', () => {})
      .on('data', (data) => {
        text += data.toString('latin1')
        if (!text.endsWith('<end>')) return
        const whole = text
        text = ''
        script(socket, whole)
      })
  })
  let connections: Connections
  beforeEach(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const deadlines = { watch: () => {}, forget: () => {} }
    connections = new Connections(new URL(`http://127.0.0.1:${port}`), clock, deadlines)
  })
  afterEach(async () => {
    connections.destroy()
    for (const socket of sockets.splice(0)) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })

  /** Sends one request and collects its response up to the end or an error. */
  function send(onBytes?: (connection: Connection, text: string) => void) {
    const received: Received = { status: 0, text: '', end: undefined, error: '' }
    const events: string[] = []
    let connection: Connection | undefined
    const over = new Promise<Received>((resolve) => {
      connection = connections.send('POST / HTTP/1.1\r\n\r\n', Buffer.from('<end>'), {
        onHead: ({ status }) => {
          received.status = status
          events.push('head')
        },
        onBytes: (bytes) => {
          const text = bytes.toString('latin1')
          received.text += text
          if (connection) onBytes?.(connection, text)
        },
        onEnd: () => {
          received.end = 'end'
          events.push('end')
          resolve(received)
        },
        onError: (error) => {
          received.end = 'error'
          received.error = error.message
          events.push('end')
          resolve(received)
        },
      })
    })
    return { over, received, events, connection: () => connection }
  }

  const WHOLE = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n'

  it('reads a response split at any byte, reusing one connection', async () => {
    for (let cut = 1; cut < WHOLE.length; cut++) {
      script = (socket) => {
        socket.write(WHOLE.slice(0, cut), 'latin1', () => setImmediate(() => socket.write(WHOLE.slice(cut))))
      }
      expect(await send().over, `cut at ${cut}`).toMatchObject({
        status: 200,
        text: 'hello world',
        end: 'end',
      })
    }
    expect(sockets).toHaveLength(1)
  })

  it('reports an error for a response truncated at any byte', async () => {
    const withLength = 'HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello world'
    for (const answer of [WHOLE, withLength])
      for (let cut = 0; cut < answer.length; cut += 3) {
        script = (socket) => void socket.end(answer.slice(0, cut))
        expect((await send().over).end, `${answer.length} cut at ${cut}`).toBe('error')
        script = (socket) => void socket.write(answer.slice(0, cut), () => socket.resetAndDestroy())
        expect((await send().over).end, `${answer.length} reset at ${cut}`).toBe('error')
      }
  })

  it('ends a body without a length when the connection closes', async () => {
    script = (socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\nall of it')
    expect(await send().over).toMatchObject({ text: 'all of it', end: 'end' })
    expect(await send().over).toMatchObject({ text: 'all of it', end: 'end' })
    expect(sockets).toHaveLength(2)
  })

  it('skips interim responses and reads responses without a body', async () => {
    script = (socket) =>
      void socket.write(
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
      )
    expect(await send().over).toMatchObject({ status: 204, text: '', end: 'end' })
    script = (socket) => void socket.write('HTTP/1.1 400 Bad\r\ncontent-length: 0\r\n\r\n')
    expect(await send().over).toMatchObject({ status: 400, text: '', end: 'end' })
    expect(sockets).toHaveLength(1)
  })

  it('never takes unsolicited bytes for the next response', async () => {
    script = (socket) => void socket.write(`${WHOLE}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`)
    expect((await send().over).text).toBe('hello world')
    script = (socket) => void socket.write(WHOLE)
    expect((await send().over).text).toBe('hello world')
    expect(sockets).toHaveLength(2)
    sockets[1]?.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil')
    await once(sockets[1]!, 'close')
    expect((await send().over).text).toBe('hello world')
    expect(sockets).toHaveLength(3)
  })

  it('reports a malformed head or framing once and closes the connection', async () => {
    for (const answer of [
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx',
      'nonsense\r\n\r\n',
      `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}`,
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    ]) {
      script = (socket) => void socket.write(answer)
      const { over, events } = send()
      expect((await over).error).toMatch(/^malformed/)
      await once(sockets.at(-1)!, 'close')
      expect(events.filter((event) => event === 'end')).toHaveLength(1)
    }
  })

  it('stops reading while paused and continues on resume', async () => {
    const big = Buffer.alloc(4 << 20, 'x')
    script = (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${big.length}\r\n\r\n`)
      socket.write(big)
    }
    let pauses = 0
    const { over, received } = send((connection) => {
      connection.pause()
      pauses++
      setImmediate(() => connection.resume())
    })
    await over
    expect(received).toMatchObject({ end: 'end' })
    expect(received.text.length).toBe(big.length)
    expect(pauses).toBeGreaterThan(20)
    script = (socket) => void socket.write(WHOLE)
    expect((await send().over).text).toBe('hello world')
    expect(sockets).toHaveLength(1)
  })

  it('makes no more calls to the reader after destroy, and closes the connection', async () => {
    script = (socket) =>
      void socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n')
    const { received, events } = send((connection) => connection.destroy())
    await expect.poll(() => sockets[0]?.destroyed).toBe(true)
    expect(received).toMatchObject({ text: 'hello', end: undefined })
    expect(events).toEqual(['head'])
  })

  it('closes an idle connection before the server would', async () => {
    script = (socket) =>
      void socket.write('HTTP/1.1 200 OK\r\nkeep-alive: timeout=3\r\ncontent-length: 0\r\n\r\n')
    await send().over
    const [first] = sockets
    connections.check(clock.monotonic() + 1900)
    await send().over
    expect(sockets).toHaveLength(1)
    connections.check(clock.monotonic() + 2000)
    await once(first!, 'close')
    script = (socket) =>
      void socket.write('HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 0\r\n\r\n')
    await send().over
    await once(sockets[1]!, 'close')
  })

  it('keeps an idle connection for the time the server names, up to a bound', async () => {
    const respondWith = (timeout: string) => {
      script = (socket) => void socket.write(`HTTP/1.1 200 OK\r\n${timeout}content-length: 0\r\n\r\n`)
    }
    respondWith('')
    await send().over
    const [first] = sockets
    connections.check(clock.monotonic() + 4000)
    await once(first!, 'close')
    respondWith('keep-alive: timeout=30\r\n')
    await send().over
    connections.check(clock.monotonic() + 28_000)
    respondWith('keep-alive: timeout=999999\r\n')
    await send().over
    expect(sockets).toHaveLength(2)
    connections.check(clock.monotonic() + 60_000)
    await once(sockets[1]!, 'close')
  })

  it('uses TLS with a trusted server and sends nothing to an untrusted one', async () => {
    const read = (name: string) =>
      readFileSync(new URL(`../fixtures/routing/localhost-${name}.pem`, import.meta.url))
    const requests: string[] = []
    const secure = createSecureServer({ key: read('key'), cert: read('certificate') }, (socket) => {
      socket
        .on('error', () => {})
        .on('data', (data) => {
          requests.push(data.toString('latin1'))
          if (data.includes('<end>')) socket.write(WHOLE)
        })
    })
    secure.on('tlsClientError', () => {}).listen(0, '127.0.0.1')
    await once(secure, 'listening')
    const { port } = secure.address() as AddressInfo
    connections = new Connections(new URL(`https://localhost:${port}`), clock, {
      watch: () => {},
      forget: () => {},
    })
    expect(await send().over).toMatchObject({ end: 'error', text: '' })
    expect(requests).toEqual([])
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED
    // Node warns of this variable, which is what the test sets on purpose.
    const warning = vi.spyOn(process, 'emitWarning').mockReturnValue()
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    try {
      for (let turn = 0; turn < 3; turn++)
        expect(await send().over).toMatchObject({ status: 200, text: 'hello world', end: 'end' })
    } finally {
      warning.mockRestore()
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before
    }
    connections.destroy()
    await new Promise((resolve) => secure.close(resolve))
  })

  it('reports a refused connection', async () => {
    const { port } = server.address() as AddressInfo
    const closed = new Connections(new URL(`http://127.0.0.1:${port}`), clock, {
      watch: () => {},
      forget: () => {},
    })
    await new Promise((resolve) => server.close(resolve))
    const error = await new Promise<Error>((resolve) => {
      closed.send('x', Buffer.from(''), {
        onHead: () => {},
        onBytes: () => {},
        onEnd: () => {},
        onError: resolve,
      })
    })
    expect(error.message).toContain('ECONNREFUSED')
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
})
