import { afterEach, describe, expect, it } from 'vitest'
import { type FakeMiner, startFakeMiner } from '../../support/fake-miner.js'
import { type HubRig, startHubRig } from '../../support/hub-rig.js'

let miner: FakeMiner
let hub: HubRig
afterEach(async () => {
  await hub.close()
  await miner.close()
})

const MODEL = 'org/model'
const ask = { model: MODEL, max_tokens: 5, messages: [{ role: 'user' as const, content: 'Hello' }] }
const TEXT = ' w1 w2 w3 w4 w5'

describe('clients of the openai package', () => {
  it('get streamed and whole answers of a miner', async () => {
    miner = await startFakeMiner({ models: [MODEL] })
    hub = await startHubRig([{ port: miner.port }])
    const { data } = await hub.openai.models.list()
    expect(data.map(({ id }) => id)).toEqual([MODEL])
    expect(await hub.openai.models.retrieve(MODEL)).toMatchObject({ id: MODEL, object: 'model' })
    await expect(hub.openai.models.retrieve('org/none')).rejects.toMatchObject({ status: 404 })

    const stream = await hub.openai.chat.completions.create({ ...ask, stream: true })
    let text = ''
    for await (const chunk of stream) {
      expect(chunk.choices[0]?.logprobs).toBeNull()
      text += chunk.choices[0]?.delta.content ?? ''
    }
    expect(text).toBe(TEXT)

    const whole = await hub.openai.chat.completions.create(ask)
    expect(whole.choices[0]).toMatchObject({
      finish_reason: 'length',
      message: { role: 'assistant', content: TEXT },
    })
    expect(whole.usage).toMatchObject({ completion_tokens: 5 })

    const plain = await hub.openai.completions.create({ model: MODEL, max_tokens: 5, prompt: 'Hello' })
    expect(plain.choices[0]).toMatchObject({ text: TEXT, finish_reason: 'length' })
    expect(hub.accounts.settled.map(({ completionTokens }) => completionTokens)).toEqual([5, 5, 5])
  })
})
