import { copyFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { request } from 'node:https'
import { connect } from 'node:tls'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { hubSeries } from '../../../src/roles/hub/figures/index.js'
import { hubStatus } from '../../../src/roles/hub/status-document.js'
import { createCertificate } from '../../support/certificate.js'
import { type FakeMiner, startFakeMiner } from '../../support/fake-miner.js'
import { type HubRig, startHubRig } from '../../support/hub-rig.js'
import { ManualClock } from '../../support/manual-clock.js'

const MODEL = 'org/model'
const ask = { model: MODEL, max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }

let miner: FakeMiner
let hub: HubRig | undefined
afterEach(async () => {
  await hub?.close()
  hub = undefined
  await miner.close()
})

async function open(models: readonly string[], settings = {}): Promise<HubRig> {
  miner = await startFakeMiner({ models })
  hub = await startHubRig([{ port: miner.port }], settings)
  return hub
}

/** Of the certificate that a server shows. */
function fingerprintOf(url: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    }).on('error', reject)
  })
}

const readiness = async ({ statusUrl }: HubRig) => {
  const response = await fetch(`${statusUrl}/readyz`)
  const body = (await response.json()) as object
  return { status: response.status, ...body }
}

describe('the status of a hub', () => {
  it('says which miners serve what, how requests ended, and what is kept', async () => {
    const { statusUrl, post } = await open([MODEL])
    await post('/v1/chat/completions', ask)
    await post('/v1/chat/completions', { ...ask, model: 'org/none' })
    const status = hubStatus.parse(await (await fetch(`${statusUrl}/status`)).json())
    expect(status).toMatchObject({
      ...{ role: 'hub', unavailable: null, models: [MODEL], inFlight: 0 },
      requests: { answered: 1, refused: 1, failed: 0, left: 0 },
      miners: [{ uid: 1, models: [MODEL], answered: 1, breaker: 'closed', silent: null }],
      ...{ uid: 0, standing: { stakeTao: 20_000 }, errors: { model_not_found: 1 } },
      asked: { attempts: 1, failovers: 0, hedges: 0 },
      traffic: [{ model: MODEL, answered: 1, refused: 0, tokens: 5, attempts: 1 }],
      ...{ bucket: null, reports: [], otherKeys: { keys: 0, tokensToday: 0 } },
      keys: [{ id: 'key_1', name: 'test', tokensPerDay: null }],
    })
    expect(status.traffic[0]?.firstTokenMs?.p50).toBeGreaterThan(0)
    const [routed] = status.miners[0]?.routing ?? []
    expect(routed).toMatchObject({ model: MODEL, share: 1, quality: 1, verified: null })
    const series = hubSeries.parse(await (await fetch(`${statusUrl}/series`)).json())
    expect(series.intervalMs).toBe(5000)
    const metrics = await (await fetch(`${statusUrl}/metrics`)).text()
    for (const line of [
      'targon_hub_requests_total{route="/v1/chat/completions",outcome="answered"} 1',
      'targon_hub_errors_total{code="model_not_found"} 1',
      `targon_hub_model_requests_total{model="${MODEL}",outcome="answered"} 1`,
      'targon_hub_tokens_total{kind="completion"} 5',
      `targon_hub_model_tokens_total{model="${MODEL}",kind="completion"} 5`,
      'targon_hub_key_requests_total{key="key_1",outcome="answered"} 1',
      `targon_hub_further_miners_total{model="${MODEL}",reason="failed"} 0`,
      'targon_hub_accounts_usable 1',
      'targon_hub_miners 1',
      'targon_registered 1',
    ])
      expect(metrics).toContain(line)
  })

  it('is not ready while no miner serves a model, or the keys cannot be read', async () => {
    const rig = await open([])
    expect(await readiness(rig)).toMatchObject({ status: 503, missing: 'no miner serves a model' })
    await hub?.close()
    await miner.close()
    const other = await open([MODEL])
    expect(await readiness(other)).toMatchObject({ status: 200 })
    other.accounts.isDown = true
    expect(await readiness(other)).toMatchObject({
      ...{ status: 503, missing: 'the keys cannot be read: the database does not answer' },
    })
  })

  it('is not ready once its hotkey is deregistered, and does not start without registration', async () => {
    const rig = await open([MODEL], { 'hub.refresh': 1 })
    rig.subtensor.neurons = rig.subtensor.neurons.slice(1)
    const missing = 'the hotkey is not registered'
    await vi.waitFor(async () => expect(await readiness(rig)).toMatchObject({ status: 503, missing }), {
      timeout: 5000,
    })
    const stranger = startHubRig([], { 'hub.refresh': 1 }, { isRegistered: false })
    await expect(stranger).rejects.toMatchObject({ code: 'HOTKEY_NOT_REGISTERED', fault: 'chain' })
  })

  it('takes miners in that begin to serve later', async () => {
    const rig = await open([], { 'hub.refresh': 1 })
    miner.models = [MODEL]
    await vi.waitFor(async () => expect((await readiness(rig)).status).toBe(200), { timeout: 5000 })
  })
})

describe('the port of a hub', () => {
  it('speaks TLS with a certificate, and refuses files that are none', async () => {
    const { cert, key } = createCertificate()
    const rig = await open([MODEL], { 'hub.tls-cert': cert, 'hub.tls-key': key })
    expect(rig.url).toMatch(/^https:/)
    const status = await new Promise((resolve, reject) => {
      const headers = { authorization: 'Bearer sk-good' }
      request(`${rig.url}/v1/models`, { rejectUnauthorized: false, headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end()
    })
    expect(status).toBe(200)
    const start = (files: object) => startHubRig([], files)
    await expect(start({ 'hub.tls-cert': cert })).rejects.toMatchObject({ code: 'HUB_TLS' })
    await expect(start({ 'hub.tls-cert': cert, 'hub.tls-key': 'absent' })).rejects.toMatchObject({
      code: 'HUB_TLS',
    })
    await expect(start({ 'hub.tls-cert': key, 'hub.tls-key': cert })).rejects.toMatchObject({
      code: 'HUB_TLS',
    })
  })

  it('tells of a certificate that ends soon', async () => {
    const clock = new ManualClock(Date.now())
    const { cert, key } = createCertificate(5)
    miner = await startFakeMiner({ models: [MODEL] })
    const settings = { 'hub.tls-cert': cert, 'hub.tls-key': key, 'drain-timeout': 0 }
    hub = await startHubRig([{ port: miner.port }], settings, { clock })
    await clock.advance(15_000)
    const { statusUrl } = hub
    await vi.waitFor(async () => {
      const status = hubStatus.parse(await (await fetch(`${statusUrl}/status`)).json())
      expect(status.alerts).toMatchObject([{ id: 'certificate-expires', severity: 'warning' }])
    })
    const metrics = await (await fetch(`${statusUrl}/metrics`)).text()
    expect(metrics).toContain('targon_alerts{alert="certificate-expires",severity="warning"} 1')
  })

  it('takes over a renewed certificate, and keeps the old one while the files do not belong together', async () => {
    const clock = new ManualClock(Date.now())
    const { cert, key } = createCertificate(5)
    const renewed = createCertificate(90)
    miner = await startFakeMiner({ models: [MODEL] })
    const settings = { 'hub.tls-cert': cert, 'hub.tls-key': key, 'drain-timeout': 0 }
    hub = await startHubRig([{ port: miner.port }], settings, { clock })
    const { url, logs } = hub
    const said = (event: string) =>
      vi.waitFor(() => expect(logs.filter((line) => line.event === event)).toHaveLength(1))
    const before = await fingerprintOf(url)
    copyFileSync(renewed.cert, cert)
    await clock.advance(600_000)
    await said('hub-tls-unreadable')
    expect(await fingerprintOf(url)).toBe(before)
    copyFileSync(renewed.key, key)
    await clock.advance(600_000)
    await said('hub-tls-renewed')
    expect(await fingerprintOf(url)).not.toBe(before)
  })

  it('that is taken is an error that names it', async () => {
    miner = await startFakeMiner({ models: [] })
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const address = other.address()
    const port = typeof address === 'object' && address ? address.port : 0
    await expect(startHubRig([], { 'hub.port': port })).rejects.toMatchObject({
      code: 'HUB_PORT_UNAVAILABLE',
      facts: { port },
    })
    other.close()
  })
})
