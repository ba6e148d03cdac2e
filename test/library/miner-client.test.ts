import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { minerClient } from '../../src/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { type DevelopmentEngine, startDevelopmentEngine } from '../../src/localnet/engine/index.js'
import { type MinerRig, startMinerRig } from '../support/miner-rig.js'
import { startEvents, startStreamServer } from '../support/stream-server.js'

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
