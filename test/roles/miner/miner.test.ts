import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { createFakeSubtensor } from '../../support/fake-subtensor.js'
import { type FakeVllm, sse, startFakeVllm } from '../../support/fake-vllm.js'
import { type MinerRig, minerSettingsOf, startMinerRig } from '../../support/miner-rig.js'

const CHAT = JSON.stringify({ model: 'org/model', messages: [], stream: true })

describe('miner', () => {
  const open: { close(): Promise<unknown> }[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()))
  })

  async function start(
    settings: Parameters<typeof startMinerRig>[0]['settings'] = {},
    models: string[] = ['org/model'],
  ): Promise<[MinerRig, FakeVllm]> {
    const vllm = await startFakeVllm({ models })
    open.push(vllm)
    const rig = await startMinerRig({ settings: { 'model-endpoint': [vllm.url], ...settings } })
    open.push(rig)
    return [rig, vllm]
  }

  it('exports the chain reconnects and the clock offset', async () => {
    const [rig] = await start()
    Object.assign(rig.subtensor, { reconnects: 3, clockOffsetMs: -12_500 })
    for (let scrape = 0; scrape < 2; scrape++) {
      const answer = await request(`${rig.statusUrl}/metrics`)
      const text = await answer.body.text()
      expect(text).toContain('targon_chain_reconnects_total 3\n')
      expect(text).toContain('targon_clock_offset_seconds -12.5\n')
    }
  })

  it('announces its external address with the port it actually listens on', async () => {
    const [rig] = await start()
    expect(rig.subtensor.served).toEqual([
      { netuid: 4, ip: '45.33.32.11', port: Number(new URL(rig.url).port) },
    ])
  })

  it.each([
    ['192.168.1.5', 'finney', 1],
    ['192.168.1.5', 'local', 0],
    ['45.33.32.11', 'finney', 0],
  ])('warns of an address that validators skip: %s on %s', async (ip, network, warnings) => {
    const [rig] = await start({ 'axon.external_ip': ip, 'subtensor.network': network })
    expect(rig.logs.filter(({ event }) => event === 'axon-address-private')).toHaveLength(warnings)
  })

  it('drains: not ready, new requests get 503, streams in flight finish', async () => {
    const [rig, vllm] = await start()
    vllm.answer = ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(sse('first'))
    }
    const stream = await rig.post('/v1/chat/completions', CHAT)
    const upstream = await vllm.arrived(1)
    rig.stop()
    const late = await rig.post('/v1/chat/completions', CHAT)
    expect(late.statusCode).toBe(503)
    await late.body.dump()
    expect((await fetch(`${rig.statusUrl}/readyz`)).status).toBe(503)
    upstream.response.end(sse('[DONE]'))
    expect(await stream.body.text()).toBe(sse('first', '[DONE]'))
    expect(await rig.done).toMatchObject({ role: 'miner', answered: 1, cut: 0 })
    await expect(fetch(rig.url)).rejects.toThrow()
  })

  it('drains: a request whose body is still arriving is answered too', async () => {
    const [rig] = await start()
    const coming = httpRequest(`${rig.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...rig.sign(CHAT), 'content-length': CHAT.length, expect: '100-continue' },
    })
    const answered = once(coming, 'response')
    coming.flushHeaders()
    // Sent when the request starts to be read.
    await once(coming, 'continue')
    coming.write(CHAT.slice(0, 10))
    rig.stop()
    await expect.poll(() => rig.logs.some(({ event }) => event === 'miner-draining')).toBe(true)
    coming.end(CHAT.slice(10))
    const [answer] = (await answered) as [IncomingMessage]
    expect(answer.statusCode).toBe(200)
    answer.resume()
    expect(await rig.done).toMatchObject({ answered: 1, cut: 0 })
  })

  it('starts without an upstream, logs it, and is not ready', async () => {
    const rig = await startMinerRig({ settings: { 'model-endpoint': ['http://127.0.0.1:9/v1'] } })
    open.push(rig)
    expect(rig.logs.some(({ event }) => event === 'upstream-down')).toBe(true)
    expect(await (await fetch(`${rig.statusUrl}/readyz`)).json()).toMatchObject({
      missing: 'no upstream answers',
    })
  })

  it('fails the start with a code for a port in use, an unregistered hotkey and a bad upstream', async () => {
    const taken = await startMinerRig({})
    open.push(taken)
    const port = Number(new URL(taken.url).port)
    await expect(startMinerRig({ settings: { 'axon.port': port } })).rejects.toMatchObject({
      code: 'AXON_PORT_UNAVAILABLE',
      fault: 'usage',
    })
    const nobody = createFakeSubtensor([])
    await expect(startMinerRig({ deps: { subtensor: nobody } })).rejects.toMatchObject({
      code: 'HOTKEY_NOT_REGISTERED',
      fault: 'chain',
    })
    for (const endpoint of ['ftp://x', 'http://u:p@x/v1', '::::']) {
      await expect(startMinerRig({ settings: { 'model-endpoint': [endpoint] } })).rejects.toMatchObject({
        code: 'BAD_UPSTREAM',
      })
    }
    expect(minerSettingsOf()['axon.port']).toBe(0)
  })
})
