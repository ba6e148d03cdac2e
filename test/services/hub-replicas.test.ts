import { fileURLToPath } from 'node:url'
import { OpenAI } from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openAccountsDatabase } from '../../src/accounts/index.js'
import type { Database } from '../../src/database/index.js'
import { sumsOf } from '../accounts/accounts-suite.js'
import { freePort } from '../support/free-port.js'
import { type HubNetwork, type HubReplica, startHubNetwork } from '../support/hub-network.js'
import { hasNginx, type Nginx, nginxSnippets, startNginx } from '../support/nginx.js'
import { createDatabases, postgresServer } from '../support/postgres.js'

const MODEL = 'targon-dev/small-a'
const page = fileURLToPath(new URL('../../docs/hub.md', import.meta.url))
const isMissing = postgresServer === undefined || !hasNginx()
const messages = [{ role: 'user' as const, content: 'How do rivers begin?' }]
const ask = { model: MODEL, max_tokens: 12, messages }
const body = (more: object = {}) => JSON.stringify({ ...ask, ...more })

const databases = createDatabases()
let network: HubNetwork
let databaseUrl: string
let database: Database
let nginx: Nginx
let replicas: readonly HubReplica[]

describe.skipIf(isMissing)('two hubs behind nginx (skipped without it or TARGON_TEST_POSTGRES_URL)', () => {
  beforeAll(async () => {
    databaseUrl = (await databases.create()).url
    database = await openAccountsDatabase({ url: databaseUrl })
    network = await startHubNetwork(databaseUrl, { model: MODEL, tokensPerSecond: 30 })
    replicas = [await startHub('hub-a'), await startHub('hub-b')]
    nginx = await startNginx(...configuration(replicas.map(({ port }) => port)))
  }, 240_000)
  afterAll(async () => {
    await nginx?.stop()
    await network?.stop()
    await database?.close()
    await databases.drop()
  }, 60_000)

  it('spread 1,000 racing requests of one key, and none of them exceeds its budget', async () => {
    const limits = { budget: 20_000, concurrent: 40 }
    const { id, secret } = await network.createKey(
      ...['--budget', String(limits.budget), '--concurrent', String(limits.concurrent)],
    )
    // a slow machine may keep the miners busy, who are then paid nothing
    const seen = { used: 0, answered: 0, busy: 0, codes: new Set<string>() }
    const ask = async (index: number) => {
      const response = await post(secret, body({ seed: index + 1, max_tokens: 1 + (index % 6) }))
      const answer = (await response.json()) as {
        usage: { total_tokens: number }
        error: { code: string }
      }
      if (response.ok) {
        seen.answered++
        seen.used += answer.usage.total_tokens
      } else if (answer.error.code === 'miners_busy') seen.busy++
      else seen.codes.add(`${response.status} ${answer.error.code}`)
    }
    let next = 0
    const user = async () => {
      while (next < 1000) await ask(next++)
    }
    await Promise.all(Array.from({ length: 250 }, user))
    expect(
      [...seen.codes].filter((code) => !/^429 (insufficient_quota|rate_limit_exceeded)$/.test(code)),
    ).toEqual([])
    expect(seen.answered).toBeGreaterThan(20)
    await expect
      .poll(() => sumsOf(database, id))
      .toEqual({
        spent: seen.used,
        used: seen.used,
        unsettled: 0,
        running: 0,
        requests: seen.answered + seen.busy,
      })
    expect(seen.used).toBeLessThanOrEqual(limits.budget)
    for (const { statusUrl } of replicas) expect(await answeredBy(statusUrl)).toBeGreaterThan(0)
  })

  it('start 1,000 racing requests at most as often as a key may in a minute', async () => {
    const { id, secret } = await network.createKey('--requests-per-minute', '30')
    const minute = () => Math.floor(Date.now() / 60_000)
    const from = minute()
    const answers = await Promise.all(
      Array.from({ length: 1000 }, () => post(secret, body({ max_tokens: 1 }))),
    )
    for (const answer of answers) await answer.arrayBuffer()
    const minutes = minute() - from + 1
    const started = answers.filter(({ status }) => status !== 429).length
    expect(started).toBeGreaterThanOrEqual(30)
    expect(started).toBeLessThanOrEqual(30 * minutes)
    await expect.poll(() => sumsOf(database, id)).toMatchObject({ requests: started, running: 0 })
  })

  it('stream: tokens arrive while the miner generates them', async () => {
    const { secret } = await network.createKey()
    const client = new OpenAI({ apiKey: secret, baseURL: `${nginx.url}/v1`, maxRetries: 0 })
    const stream = await client.chat.completions.create({ ...ask, max_tokens: 60, stream: true })
    const times: number[] = []
    for await (const { choices } of stream)
      if ((choices[0]?.delta.content ?? '') !== '') times.push(performance.now())
    // at 30 tokens per second the last of 60 comes almost two seconds after the first
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(500)
  })

  it('count invalid keys by the address of the user, whom nginx names', async () => {
    const user = { 'x-forwarded-for': '203.0.113.7' }
    const wrong = () => post('sk-targon-wrong', body(), user)
    const statuses = new Set<number>()
    for (let round = 0; round < 20 && !statuses.has(429); round++)
      for (const { status } of await Promise.all(Array.from({ length: 100 }, wrong))) statuses.add(status)
    expect(statuses).toEqual(new Set([401, 429]))
    expect((await post('sk-targon-wrong', body(), { 'x-forwarded-for': '203.0.113.8' })).status).toBe(401)
  })

  it('answer on while one of them is down: nginx asks the other before anything was sent', async () => {
    const { id, secret } = await network.createKey()
    const [first] = replicas
    first?.cli.child.kill('SIGKILL')
    await first?.cli.ended
    const statuses = new Set<number>()
    for (let count = 0; count < 40; count++) {
      const response = await post(secret, body({ max_tokens: 1 }))
      statuses.add(response.status)
      await response.arrayBuffer()
    }
    expect(statuses).toEqual(new Set([200]))
    await expect.poll(() => sumsOf(database, id)).toMatchObject({ requests: 40, unsettled: 0, running: 0 })
    expect(nginx.errors()).toContain('Connection refused')
  })

  it('refuse while the database is away, and settle what ran meanwhile once it is back', async () => {
    const { id, secret } = await network.createKey()
    const running = await post(
      secret,
      body({ max_tokens: 60, stream: true, stream_options: { include_usage: true } }),
    )
    await databases.allowConnections(false)
    await databases.disconnect()
    try {
      await expect
        .poll(async () => {
          const response = await post(secret, body())
          const { error } = (await response.json()) as { error?: { code: string; message: string } }
          return { status: response.status, retryAfter: response.headers.get('retry-after'), ...error }
        })
        .toMatchObject({
          ...{ status: 503, code: 'accounts_unavailable', retryAfter: '5', type: 'server_error' },
          message: 'API keys cannot be checked now. Try again later.',
        })
      expect(await running.text()).toMatch(/"completion_tokens":60.*\[DONE\]/s)
    } finally {
      await databases.allowConnections(true)
    }
    const after = await openAccountsDatabase({ url: databaseUrl })
    await expect.poll(() => sumsOf(after, id)).toMatchObject({ unsettled: 0, running: 0, requests: 1 })
    expect((await post(secret, body({ max_tokens: 1 }))).status).toBe(200)
    await after.close()
  })
})

async function startHub(name: string): Promise<HubReplica> {
  const flags = ['--hub.port', String(await freePort()), '--hub.trusted-proxies', '127.0.0.1']
  return network.startHub(name, ...flags)
}

/** What docs/hub.md tells operators to write, with the ports of this test. */
function configuration(ports: readonly number[]): [http: string, server: string] {
  const [location = '', upstream = ''] = nginxSnippets(page)
  const free = [...ports]
  const http = upstream.replaceAll(/127\.0\.0\.1:\d+/g, () => `127.0.0.1:${free.shift()}`)
  expect(free).toEqual([])
  return [http, location.replace(/proxy_pass [^;]+;/, 'proxy_pass http://hubs;')]
}

function post(secret: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${nginx.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...headers },
    body,
  })
}

async function answeredBy(statusUrl: string): Promise<number> {
  const status = (await (await fetch(`${statusUrl}/status`)).json()) as { requests: { answered: number } }
  return status.requests.answered
}
