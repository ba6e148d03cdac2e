import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { epistulaFetch } from '../../../src/epistula/index.js'
import { systemClock } from '../../../src/kernel/clock.js'
import { type DevelopmentEngine, startDevelopmentEngine } from '../../../src/localnet/engine/index.js'
import { type MinerRig, startMinerRig } from '../../support/miner-rig.js'

const MODEL = 'targon-dev/small-a'
const QUESTION = {
  model: MODEL,
  messages: [{ role: 'user' as const, content: 'Tell me about the sea.' }],
  temperature: 0,
  seed: 7,
  max_tokens: 24,
}

describe('an OpenAI client with a signing fetch', () => {
  let engine: DevelopmentEngine
  let rig: MinerRig
  let client: OpenAI
  let direct: OpenAI

  beforeEach(async () => {
    engine = await startDevelopmentEngine(
      { port: 0, models: [MODEL], apiKey: 'engine-key' },
      { clock: systemClock },
    )
    rig = await startMinerRig({
      settings: { 'model-endpoint': [`${engine.url}/v1`], 'api-key': 'engine-key' },
    })
    const fetch = epistulaFetch({ signer: rig.validator, signedFor: rig.miner.address, model: MODEL })
    client = new OpenAI({ apiKey: 'the caller has none', baseURL: `${rig.url}/v1`, maxRetries: 0, fetch })
    direct = new OpenAI({ apiKey: 'engine-key', baseURL: `${engine.url}/v1`, maxRetries: 0 })
  })
  afterEach(async () => {
    await rig.close()
    await engine.close()
  })

  const streamed = async (from: OpenAI) => {
    let text = ''
    const ids: string[] = []
    for await (const chunk of await from.chat.completions.create({
      ...QUESTION,
      stream: true,
      logprobs: true,
    })) {
      text += chunk.choices[0]?.delta.content ?? ''
      ids.push(...(chunk.choices[0]?.logprobs?.content ?? []).map(({ token }) => token))
    }
    return { text, ids }
  }

  it('streams the same tokens through the miner as from the model server itself', async () => {
    const through = await streamed(client)
    expect(through.ids.length).toBeGreaterThan(5)
    expect(through).toEqual(await streamed(direct))
  })

  it('gets unstreamed answers of both endpoints, with usage', async () => {
    const chat = await client.chat.completions.create(QUESTION)
    const same = await direct.chat.completions.create(QUESTION)
    expect(chat.choices).toEqual(same.choices)
    expect(chat.usage).toEqual(same.usage)
    const prompt = { model: MODEL, prompt: 'The sea', temperature: 0, seed: 7, max_tokens: 8 }
    const text = await client.completions.create(prompt)
    expect(text.choices).toEqual((await direct.completions.create(prompt)).choices)
  })

  it('reports an unknown model as its NotFoundError', async () => {
    const fetch = epistulaFetch({ signer: rig.validator, signedFor: rig.miner.address })
    const stranger = client.withOptions({ fetch })
    const error = await stranger.chat.completions
      .create({ ...QUESTION, model: 'org/unknown' })
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(OpenAI.NotFoundError)
    expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
  })

  it('frees the model server when it aborts a stream', async () => {
    engine.setPace({ tokensPerSecond: 20 })
    const stream = await client.chat.completions.create({ ...QUESTION, max_tokens: 400, stream: true })
    for await (const _ of stream) break
    await expect.poll(() => engine.load.running).toBe(0)
    await expect.poll(() => rig.logs.some(({ event }) => event === 'caller-left')).toBe(true)
  })
})
