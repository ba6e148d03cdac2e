import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/clock.js'
import { defaultLimits, startRouter } from '../../src/routing/index.js'
import { sse, startFakeVllm } from '../support/fake-vllm.js'
import { settingsOf } from '../support/router-rig.js'

describe('the chat probe', () => {
  const open: { close(): Promise<unknown> }[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  /** Starts a router beside a server that answers the probe like this, and waits for what it logs. */
  async function probe(
    probedChat: object | string | undefined,
    owner: { owned_by?: string } = { owned_by: 'vllm' },
  ) {
    const vllm = await startFakeVllm()
    open.push(vllm)
    Object.assign(vllm, { probedChat, owner })
    const records: Record<string, unknown>[] = []
    const log = pino({ base: null, level: 'debug' }, { write: (line) => void records.push(JSON.parse(line)) })
    const limits = { ...defaultLimits, refreshMs: 20 }
    const router = await startRouter({ clock: systemClock, log, upstreams: [settingsOf(vllm.url)], limits })
    open.push(router)
    // The second check follows the probes.
    await expect.poll(() => vllm.modelsAsked, { timeout: 10_000 }).toBeGreaterThan(1)
    return { record: records.find(({ event }) => event === 'chat-text-moved'), chatsProbed: vllm.chatsProbed }
  }

  it.each([
    ['reasoning', { content: null, reasoning_content: 'Hello' }, /--reasoning-parser/],
    ['reasoning', { content: '', reasoning: 'Hello' }, /--reasoning-parser/],
    [
      'reasoning',
      sse(
        { choices: [{ delta: { role: 'assistant', content: '' } }] },
        { choices: [{ delta: { reasoning: 'x' } }] },
        '[DONE]',
      ),
      /--reasoning-parser/,
    ],
    [
      'tool_calls',
      { content: null, tool_calls: [{ function: { name: 'f' } }] },
      /--enable-auto-tool-choice and --tool-call-parser/,
    ],
    ['tool_calls', sse({ choices: [{ delta: { tool_calls: [{}] } }] }, '[DONE]'), /--tool-call-parser/],
  ])('names the switch of vLLM that moves text to %s: %j', async (movedTo, message, advice) => {
    const { record } = await probe(message)
    expect(record).toMatchObject({ level: 40, movedTo, next: expect.stringMatching(advice) })
  })

  it.each([
    [{ content: 'Hello', reasoning_content: null, tool_calls: [] }],
    [sse({ choices: [{ delta: { content: 'Hello' } }] }, { choices: [] }, '[DONE]')],
    ['not JSON'],
    [undefined],
  ])('says nothing about %j', async (message) => {
    expect(await probe(message)).toEqual({ record: undefined, chatsProbed: 1 })
  })

  it('asks no server that is not known to be vLLM', async () => {
    expect(await probe({ reasoning: 'x' }, { owned_by: 'openai' })).toEqual({
      record: undefined,
      chatsProbed: 0,
    })
  })
})
