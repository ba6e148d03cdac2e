import { APIError } from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { minerClient } from '../../src/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { type DevelopmentEngine, startDevelopmentEngine } from '../../src/localnet/engine/index.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { type MinerRig, startMinerRig } from '../support/miner-rig.js'
import {
  type Answering,
  type StreamServer,
  startEvents,
  startStreamServer,
} from '../support/stream-server.js'

const MODEL = 'targon-dev/small-a'
const QUESTION = {
  model: MODEL,
  messages: [{ role: 'user' as const, content: 'Tell me about the sea.' }],
  max_tokens: 16,
}

describe('minerClient against a miner', () => {
  let engine: DevelopmentEngine
  let rig: MinerRig

  beforeEach(async () => {
    engine = await startDevelopmentEngine({ port: 0, models: [MODEL] }, { clock: systemClock })
    rig = await startMinerRig({ settings: { 'model-endpoint': [`${engine.url}/v1`] } })
  })
  afterEach(async () => {
    await rig.close()
    await engine.close()
  })

  it.each([
    ['ip:port', (url: string) => url.replace('http://', '')],
    ['a URL', (url: string) => url],
    ['a URL that ends in /v1/', (url: string) => `${url}/v1/`],
  ])('streams an answer from an address given as %s', async (_, given) => {
    const client = await minerClient({
      signer: rig.validator,
      address: given(rig.url),
      hotkey: rig.miner.address,
    })
    let [text, chunks] = ['', 0]
    for await (const chunk of await client.chat.completions.create({ ...QUESTION, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? ''
      chunks++
    }
    expect(text.length).toBeGreaterThan(10)
    expect(chunks).toBeGreaterThan(5)
  })

  it('is refused without a retry when it signs for another miner', async () => {
    const client = await minerClient({
      signer: rig.validator,
      address: rig.url,
      hotkey: rig.validator.address,
    })
    await expect(client.chat.completions.create(QUESTION)).rejects.toMatchObject({ status: 400 })
    const status = await (await fetch(`${rig.statusUrl}/status`)).json()
    expect(status).toMatchObject({ requests: { requests: 1, refused: 1 } })
  })
})

describe('errors of a miner', () => {
  let server: StreamServer
  afterEach(() => server.close())

  async function refusalOf(answering: Answering): Promise<APIError> {
    server = await startStreamServer(answering)
    const signer = await hotkeyOf(2)
    const client = await minerClient({ signer, address: server.url, hotkey: (await hotkeyOf(1)).address })
    const error: unknown = await client.chat.completions.create({ ...QUESTION }).catch((thrown) => thrown)
    if (!(error instanceof APIError)) throw new Error('expected an APIError', { cause: error })
    return error
  }

  const refuse =
    (status: number, body: string): Answering =>
    (response) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)

  it('keep the sentence and the body of a refusal in another form than that of OpenAI', async () => {
    const error = await refusalOf(refuse(401, '{"detail":"Stake below minimum: 5"}'))
    expect(error).toMatchObject({ status: 401, message: '401 Stake below minimum: 5' })
    expect(error.error).toMatchObject({
      message: 'Stake below minimum: 5',
      body: { detail: 'Stake below minimum: 5' },
    })
  })

  it('keep an error in the form of OpenAI as it is', async () => {
    const sent = {
      message: 'max_tokens is too large',
      type: 'BadRequestError',
      param: 'max_tokens',
      code: 400,
    }
    const error = await refusalOf(refuse(400, JSON.stringify({ error: sent, detail: 'x' })))
    expect(error).toMatchObject({ status: 400, param: 'max_tokens', error: sent })
    expect(error.error).toEqual(sent)
  })

  it('keep the text of a proxy, and read no more of an endless one than its beginning', async () => {
    const page = await refusalOf(refuse(502, '<html><h1>502 Bad Gateway</h1></html>'))
    expect(page).toMatchObject({ status: 502, message: '502 502 Bad Gateway' })
    expect(page.error).toMatchObject({ body: '<html><h1>502 Bad Gateway</h1></html>' })
    await server.close()
    const endless = await refusalOf((response) => {
      response.writeHead(500)
      const more = () => {
        while (!response.destroyed && response.write('x\n'.repeat(32_768))) {}
      }
      response.on('drain', more)
      more()
    })
    expect(endless.status).toBe(500)
    expect(JSON.stringify(endless.error).length).toBeLessThan(40_000)
    await expect.poll(() => server.open).toBe(0)
  })

  it('name the status of a refusal without a text', async () => {
    expect(await refusalOf(refuse(503, ''))).toMatchObject({ status: 503 })
  })
})

it('aborts an answer with an endless line', async () => {
  const server = await startStreamServer((response) => {
    const out = startEvents(response)
    const more = () => {
      while (!out.destroyed && out.write('x'.repeat(65_536))) {}
    }
    out.on('drain', more)
    more()
  })
  const rig = await startMinerRig({})
  try {
    const client = await minerClient({
      signer: rig.validator,
      address: server.url,
      hotkey: rig.miner.address,
    })
    const read = async () => {
      for await (const chunk of await client.chat.completions.create({ ...QUESTION, stream: true }))
        expect(chunk).toBeUndefined()
    }
    await expect(read()).rejects.toThrow(/line of more than/)
  } finally {
    await rig.close()
    await server.close()
  }
})

it.each(['here or there', 'ftp://10.0.0.1', 'http://user@10.0.0.1:1', ''])(
  'refuses the address %j',
  async (address) => {
    await expect(minerClient({ signer: undefined as never, address, hotkey: '5F' })).rejects.toMatchObject({
      code: 'MINER_ADDRESS',
      fault: 'usage',
    })
  },
)
