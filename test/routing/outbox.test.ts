import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/clock.js'
import { defaultLimits, type Router, readRequest, startRouter } from '../../src/routing/index.js'

/** In all more than the socket buffers hold for a caller that does not read. */
const PIECES = 300
const PIECE_BYTES = 40_000

describe('outbox', () => {
  const servers: Server[] = []
  let router: Router
  afterEach(async () => {
    await router.close()
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })

  async function listen(server: Server): Promise<string> {
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  const bodyOf = async (incoming: IncomingMessage) => {
    const parts: Buffer[] = []
    for await (const part of incoming) parts.push(part)
    return Buffer.concat(parts)
  }

  /** Each response repeats one letter, so that bytes of another response stand out. */
  async function startProxy(): Promise<string> {
    const upstream = createServer(async (incoming, response) => {
      if (incoming.method === 'GET') return response.end(JSON.stringify({ data: [{ id: 'org/model' }] }))
      const { letter, isChunked } = JSON.parse((await bodyOf(incoming)).toString())
      const piece = Buffer.alloc(PIECE_BYTES, letter)
      if (!isChunked) response.setHeader('content-length', PIECES * PIECE_BYTES)
      let left = PIECES
      const write = () => {
        while (left-- > 0 && !response.destroyed)
          if (!response.write(piece)) return response.once('drain', write)
        return response.end()
      }
      write()
    })
    const url = `${await listen(upstream)}/v1`
    router = await startRouter({
      clock: systemClock,
      log: pino({ level: 'silent' }),
      limits: defaultLimits,
      upstreams: [
        { url, apiKey: undefined, weight: 1, maxInFlight: 100, models: [], aliases: {}, addTokenIds: false },
      ],
    })
    return await listen(
      createServer(async (incoming, response) => {
        const body = await bodyOf(incoming)
        await router.forward({ path: '/chat/completions', ...readRequest(body)!, body, response })
      }),
    )
  }

  function ask(url: string, letter: string, isChunked: boolean): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      request(url, { method: 'POST', agent: false }, resolve)
        .on('error', reject)
        .end(JSON.stringify({ model: 'org/model', stream: true, letter, isChunked }))
    })
  }

  /** @returns how many bytes arrived, and how many of them belong to another response. */
  async function read(answer: IncomingMessage, letter: string) {
    const count = { bytes: 0, foreign: 0 }
    const code = letter.charCodeAt(0)
    for await (const part of answer as AsyncIterable<Buffer>) {
      count.bytes += part.length
      if (!part.equals(Buffer.alloc(part.length, code))) count.foreign += part.length
    }
    return count
  }

  it('never mixes the bytes of two large responses, however slowly a caller reads', async () => {
    const url = await startProxy()
    const callers = [...'abcdefgh'].map((letter, index) => ({ letter, isChunked: index % 2 === 0 }))
    const answers = await Promise.all(callers.map(({ letter, isChunked }) => ask(url, letter, isChunked)))
    // The second half starts reading only when the first half has finished.
    const whole = { bytes: PIECES * PIECE_BYTES, foreign: 0 }
    for (const [from, to] of [
      [0, 4],
      [4, 8],
    ]) {
      const counts = answers.slice(from, to).map((answer, at) => read(answer, callers[from! + at]!.letter))
      expect(await Promise.all(counts)).toEqual([whole, whole, whole, whole])
    }
  })
})
