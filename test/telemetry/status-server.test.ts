import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { createMetrics, type StatusServer, startStatusServer } from '../../src/telemetry/index.js'
import { freePort } from '../support/free-port.js'

describe('status server', () => {
  let server: StatusServer | undefined
  afterEach(async () => {
    await server?.close()
    server = undefined
  })

  const records: string[] = []
  const log = pino({ base: null }, { write: (line) => void records.push(line) })

  async function start(state: { live?: boolean; missing?: string; port?: number } = {}) {
    const metrics = createMetrics('miner')
    metrics.requests.inc({ route: 'models', outcome: 'ok' })
    server = await startStatusServer({
      port: state.port ?? 0,
      log,
      live: () => state.live ?? true,
      ready: () => state.missing,
      metrics,
      status: () => ({ role: 'miner', uid: 3 }),
    })
    return server.url
  }

  it('masks the passwords of addresses in everything it serves', async () => {
    const address = 'wss://ops:hunter2@node:9944'
    const metrics = createMetrics('validator')
    metrics.engineReady.set({ model: address }, 1)
    server = await startStatusServer({
      port: 0,
      log,
      live: () => true,
      ready: () => `waits for ${address}`,
      metrics,
      status: () => ({ engines: [{ reason: `${address} is down` }] }),
      documents: {
        report: async () => ({ address }),
        broken: async () => {
          throw new Error(`lost ${address}`)
        },
      },
    })
    const { url } = server
    const paths = ['readyz', 'metrics', 'status', 'report', 'broken']
    const texts = await Promise.all(paths.map(async (path) => (await fetch(`${url}/${path}`)).text()))
    expect(texts.map((text) => text.includes('wss://ops:[redacted]@node:9944'))).toEqual(
      paths.map(() => true),
    )
    expect(texts.join('')).not.toContain('hunter2')
  })

  it('serves livez, readyz, metrics and status, and logs its address', async () => {
    const url = await start()
    expect((await fetch(`${url}/livez`)).status).toBe(200)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect(await (await fetch(`${url}/status`)).json()).toEqual({ role: 'miner', uid: 3 })
    const text = await (await fetch(`${url}/metrics`)).text()
    expect(text).toContain('targon_miner_requests_total{route="models",outcome="ok"} 1')
    expect(text).toContain('targon_build_info{')
    expect(records.at(-1)).toContain('"event":"status-server-listening"')
    expect(records.at(-1)).toContain(url)
    expect((await fetch(`${url}/other`)).status).toBe(404)
  })

  it('answers 503 with what is missing while not ready or not alive', async () => {
    const url = await start({ live: false, missing: 'no upstream answers' })
    expect((await fetch(`${url}/livez`)).status).toBe(503)
    const ready = await fetch(`${url}/readyz`)
    expect(ready.status).toBe(503)
    expect(await ready.json()).toMatchObject({ ready: false, missing: 'no upstream answers' })
  })

  it('rejects a foreign Host header, against DNS rebinding', async () => {
    const url = await start()
    const { request } = await import('undici')
    const answer = await request(`${url}/status`, { headers: { host: 'evil.example' } })
    expect(answer.statusCode).toBe(403)
    await answer.body.dump()
  })

  it.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['a page of another port', { origin: 'http://127.0.0.1:1' }],
    ['a page without an origin', { origin: 'null' }],
    ['a script tag of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
  ])('rejects what %s loads', async (_, headers) => {
    const url = await start()
    const { request } = await import('undici')
    const answer = await request(`${url}/status`, { headers })
    expect(answer.statusCode).toBe(403)
    await answer.body.dump()
  })

  it('answers its own page and a link on another site, and lets no other origin read', async () => {
    const url = await start()
    const { request } = await import('undici')
    for (const headers of [
      { origin: url, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
    ]) {
      const answer = await request(`${url}/status`, { headers })
      expect(answer.statusCode).toBe(200)
      expect(answer.headers['access-control-allow-origin']).toBeUndefined()
      await answer.body.dump()
    }
  })

  it('rejects with a usage error if the port is taken', async () => {
    const url = await start()
    const second = startStatusServer({
      port: Number(new URL(url).port),
      log,
      live: () => true,
      ready: () => undefined,
      metrics: createMetrics('validator'),
      status: () => ({}),
    })
    await expect(second).rejects.toMatchObject({ code: 'STATUS_PORT_IN_USE', fault: 'usage' })
  })

  it('serves health and metrics, and nothing else, on an address for other machines', async () => {
    const scrapeAddress = `127.0.0.1:${await freePort()}`
    const options = {
      ...{ port: 0, log, scrapeAddress, live: () => true, ready: () => 'waits for wss://ops:hunter2@node' },
      ...{ metrics: createMetrics('validator'), status: () => ({}) },
    }
    server = await startStatusServer(options)
    const ask = async (path: string) => {
      const { request } = await import('undici')
      const headers = { host: 'targon-miner.subnet.svc:9200' }
      const { statusCode, body } = await request(`http://${scrapeAddress}/${path}`, { headers })
      return { status: statusCode, text: await body.text() }
    }
    expect(await ask('livez')).toMatchObject({ status: 200 })
    expect(await ask('readyz')).toEqual({
      status: 503,
      text: '{"ready":false,"missing":"waits for wss://ops:[redacted]@node"}',
    })
    expect((await ask('metrics')).text).toContain('targon_build_info{')
    expect(await ask('status')).toMatchObject({ status: 404 })
    expect(await ask('')).toMatchObject({ status: 404 })

    await expect(startStatusServer(options)).rejects.toMatchObject({
      code: 'SCRAPE_ADDRESS_UNUSABLE',
      fault: 'usage',
    })
    await server.close()
    server = undefined
    await expect(ask('livez')).rejects.toThrow()
  })
})
