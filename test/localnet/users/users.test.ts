import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { startDevelopmentEngine } from '../../../src/localnet/engine/index.js'
import { runUsers } from '../../../src/localnet/users/index.js'
import { userRequest } from '../../../src/localnet/users/user-request.js'
import { ManualClock } from '../../support/manual-clock.js'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const MODELS = ['targon-dev/small-a', 'targon-dev/small-b']

function usersOf(hubUrl: string) {
  const clock = new ManualClock()
  const end = new AbortController()
  const users = runUsers(
    { hubUrl, apiKey: 'sk-test', seed: 's', models: MODELS, concurrent: 2 },
    { clock, signal: end.signal },
  )
  closers.push(async () => {
    end.abort()
    await users.done
  })
  return { users, clock }
}

test('users get streamed answers on both routes, and each is counted', async () => {
  const clock = new ManualClock()
  const engine = await startDevelopmentEngine({ port: 0, models: MODELS }, { clock })
  closers.push(() => engine.close())
  const { users, clock: own } = usersOf(engine.url)
  await expect
    .poll(
      async () => {
        await own.advance(1000)
        return users.counts().answered
      },
      { timeout: 20_000 },
    )
    .toBeGreaterThan(8)
  const { failed, tokens, byMiner, answered } = users.counts()
  expect(failed).toBe(0)
  expect(tokens).toBeGreaterThan(8 * 40)
  expect(byMiner, 'an engine does not name a miner').toEqual({ none: answered })
})

test('a failed request is counted with its reason, and the user asks again later', async () => {
  let asked = 0
  const hub = createServer((request, response) => {
    asked++
    request.resume()
    response.writeHead(503, { 'content-type': 'application/json' })
    response.end('{"error":{"message":"No miner can be asked now","code":"no_miner"}}')
  }).listen(0, '127.0.0.1')
  await once(hub, 'listening')
  closers.push(() => hub.close())
  const { users, clock } = usersOf(`http://127.0.0.1:${(hub.address() as AddressInfo).port}`)
  await expect.poll(() => users.counts().failed).toBe(2)
  expect(users.counts().lastFailure).toContain('No miner can be asked now')
  await clock.advance(999)
  expect(asked).toBe(2)
  await clock.advance(1)
  await expect.poll(() => asked).toBe(4)
})

test('the same seed gives the same requests, of both routes and for all models', () => {
  const some = (seed: string) => Array.from({ length: 64 }, (_, n) => userRequest(seed, n, MODELS))
  expect(some('a')).toEqual(some('a'))
  expect(some('a')).not.toEqual(some('b'))
  expect(new Set(some('a').map(({ route }) => route)).size).toBe(2)
  expect(new Set(some('a').map(({ model }) => model))).toEqual(new Set(MODELS))
  for (const { maxTokens, text } of some('a'))
    expect([maxTokens >= 48, maxTokens < 128, text !== '']).not.toContain(false)
})
