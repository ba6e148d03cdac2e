import { afterEach, describe, expect, it } from 'vitest'
import { type FakeVllm, startFakeVllm } from '../../../support/fake-vllm.js'
import { type MinerRig, startMinerRig } from '../../../support/miner-rig.js'

describe('a request without a model', () => {
  const open: { close(): Promise<unknown> }[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  async function start(models: string[], settings: object = {}): Promise<[MinerRig, FakeVllm]> {
    const vllm = await startFakeVllm({ models })
    const rig = await startMinerRig({ settings: { 'model-endpoint': [vllm.url], ...settings } })
    open.push(vllm, rig)
    return [rig, vllm]
  }

  async function ask(rig: MinerRig, body: string, claimed?: string) {
    const header = claimed === undefined ? {} : { 'x-targon-model': claimed }
    const answer = await rig.post('/v1/completions', body, { ...rig.sign(body), ...header })
    const text = await answer.body.text()
    return { status: answer.statusCode, text }
  }

  it.each(['{"prompt" : "a"}', '{"model":null,"prompt":"a"}', '{"model":"","prompt":"a"}', '{}'])(
    'goes to the only model served, byte for byte, as vLLM takes it: %s',
    async (body) => {
      const [rig, vllm] = await start(['org/model'])
      expect(await ask(rig, body)).toMatchObject({ status: 200 })
      expect(await ask(rig, body, 'org/model')).toMatchObject({ status: 200 })
      expect(vllm.received.map((one) => one.body)).toEqual([body, body])
      expect((await ask(rig, body, 'org/other')).status).toBe(404)
    },
  )

  it('is given its name where the server has others too, or another name for it', async () => {
    const [rig, vllm] = await start(['org/model', 'org/hidden'])
    const limited = await startMinerRig({
      settings: { upstreams: [{ url: vllm.url, models: ['org/model'] }] },
    })
    open.push(limited)
    expect(await ask(limited, '{"prompt":"a"}')).toMatchObject({ status: 200 })
    expect(await ask(limited, '{"prompt":"a", "model" : null}')).toMatchObject({ status: 200 })
    expect(vllm.received.map((one) => one.body)).toEqual([
      '{"model":"org/model","prompt":"a"}',
      '{"prompt":"a", "model" : "org/model"}',
    ])
    expect((await ask(rig, '{"prompt":"a"}')).status).toBe(400)
  })

  it('is refused when several models are served, and when none is', async () => {
    const [rig, vllm] = await start(['org/a', 'org/b'], { 'routing.refresh': 0.05 })
    const refused = await ask(rig, '{"prompt":"a"}')
    expect(refused.status).toBe(400)
    expect(JSON.parse(refused.text)).toMatchObject({ error: { code: 'model_missing', param: 'model' } })
    vllm.modelsStatus = 500
    await expect
      .poll(() => rig.logs.some(({ event }) => event === 'upstream-down'), { timeout: 10_000 })
      .toBe(true)
    expect((await ask(rig, '{"prompt":"a"}')).status).toBe(503)
    expect(vllm.received).toEqual([])
  })

  it('is refused when its model is not a name', async () => {
    const [rig] = await start(['org/model'])
    const refused = await ask(rig, '{"model":7}')
    expect(refused.status).toBe(400)
    expect(JSON.parse(refused.text)).toMatchObject({ error: { code: 'bad_request_body' } })
  })
})
