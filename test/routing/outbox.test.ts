import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/clock.js'
import { defaultLimits, type Router, readRequest, startRouter } from '../../src/routing/index.js'

/** More than the kernel takes for a caller that does not read. */
const PIECES = 300
const PIECE_BYTES = 40_000

describe('large answers to callers of different speed', () => {
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

  /** An answer is one letter over and over: what belongs to another answer shows at once. */
  async function startWay(): Promise<string> {
    const upstream = createServer(async (incoming, response) => {
      if (incoming.method === 'GET') return response.end(JSON.stringify({ data: [{ id: 'org/model' }] }))
      const { letter, isFramed } = JSON.parse((await bodyOf(incoming)).toString())
      const piece = Buffer.alloc(PIECE_BYTES, letter)
      if (!isFramed) response.setHeader('content-length', PIECES * PIECE_BYTES)
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

  function ask(url: string, letter: string, isFramed: boolean): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      request(url, { method: 'POST', agent: false }, resolve)
        .on('error', reject)
        .end(JSON.stringify({ model: 'org/model', stream: true, letter, isFramed }))
    })
  }

  /** @returns how many bytes came, and how many of them were another letter. */
  async function read(answer: IncomingMessage, letter: string) {
    const count = { bytes: 0, foreign: 0 }
    const code = letter.charCodeAt(0)
    for await (const part of answer as AsyncIterable<Buffer>) {
      count.bytes += part.length
      if (!part.equals(Buffer.alloc(part.length, code))) count.foreign += part.length
    }
    return count
  }

  it('never mixes bytes of one answer into another, however long a caller lets its own wait', async () => {
    const url = await startWay()
    const callers = [...'abcdefgh'].map((letter, index) => ({ letter, isFramed: index % 2 === 0 }))
    const answers = await Promise.all(callers.map(({ letter, isFramed }) => ask(url, letter, isFramed)))
    // Those in the first half read at once, the others only when these are done.
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
