import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import {
  type AddressInfo,
  connect,
  getDefaultAutoSelectFamilyAttemptTimeout,
  type LookupFunction,
  type Socket,
  setDefaultAutoSelectFamilyAttemptTimeout,
} from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import got from 'got'
import { Agent, request } from 'undici'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { allowDistantHosts } from '../../src/kernel/connection-attempts.js'
import { startWorkerThread } from '../../src/kernel/worker-thread.js'
import { compiledUrl } from '../support/compiled-program.js'

const ORIGINAL_MS = getDefaultAutoSelectFamilyAttemptTimeout()

beforeEach(allowDistantHosts)
afterEach(() => setDefaultAutoSelectFamilyAttemptTimeout(ORIGINAL_MS))

describe('a host with two addresses, of which the first answers late and nothing listens on the second', () => {
  let server: ChildProcess
  let port: number
  let queued: Socket[] = []

  beforeAll(async () => {
    server = fork(fileURLToPath(compiledUrl(new URL('./stopped-server.ts', import.meta.url))))
    const [address] = (await once(server, 'message')) as [AddressInfo]
    port = address.port
  })
  afterAll(() => server.kill('SIGKILL'))

  beforeEach(async () => {
    server.kill('SIGSTOP')
    queued = []
    // Fills the queue of connections that nobody accepts; the last one gets no answer to its first packet.
    for (let isFull = false; !isFull; ) {
      const socket = connect(port, '127.0.0.2').on('error', () => {})
      queued.push(socket)
      isFull = await Promise.race([once(socket, 'connect').then(() => false), sleep(100, true)])
    }
  })
  afterEach(() => {
    for (const socket of queued) socket.destroy()
  })

  const lookup: LookupFunction = (_name, _options, found) =>
    found(null, [
      { address: '127.0.0.2', family: 4 },
      { address: '127.0.0.3', family: 4 },
    ])

  /** Goes on once Node would have given up the first address. */
  const answerLate = () => setTimeout(() => server.kill('SIGCONT'), 2 * ORIGINAL_MS)

  it.each([
    [
      'undici',
      async () => {
        const dispatcher = new Agent({ connect: { lookup } })
        const { body } = await request(`http://distant.test:${port}`, { dispatcher })
        const text = await body.text()
        await dispatcher.destroy()
        return text
      },
    ],
    [
      'got',
      () => got(`http://distant.test:${port}`, { dnsLookup: lookup as never, retry: { limit: 0 } }).text(),
    ],
    [
      'ws',
      async () => {
        const socket = new WebSocket(`ws://distant.test:${port}`, { lookup })
        const [error] = (await once(socket, 'error')) as [Error]
        return error.message.replace('Unexpected server response: 200', 'here')
      },
    ],
  ])('is reached by %s', async (_, ask) => {
    answerLate()
    expect(await ask()).toBe('here')
  })
})

it('a worker thread gives each address the same time as the thread that started it', async () => {
  const worker = startWorkerThread(new URL('./attempt-timeout-worker', import.meta.url))
  const [attemptMs] = await once(worker, 'message')
  expect(attemptMs).toBe(getDefaultAutoSelectFamilyAttemptTimeout())
  expect(attemptMs).not.toBe(ORIGINAL_MS)
})
