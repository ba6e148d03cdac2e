import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/clock.js'
import { probeTokenIds } from '../../src/routing/token-ids.js'
import { Upstream } from '../../src/routing/upstream.js'
import { type FakeVllm, startFakeVllm } from '../support/fake-vllm.js'

describe('probeTokenIds', () => {
  const open: { close(): Promise<unknown> }[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()))
  })

  async function probe(tokenIds: FakeVllm['tokenIds'], addTokenIds: boolean) {
    const vllm = await startFakeVllm()
    vllm.tokenIds = tokenIds
    const settings = {
      url: vllm.url,
      apiKey: undefined,
      weight: 1,
      maxInFlight: 9,
      models: [],
      aliases: { public: 'inner' },
      addTokenIds,
    }
    const upstream = new Upstream(settings, {
      clock: systemClock,
      random: Math.random,
      deadlines: { watch: () => {}, forget: () => {} },
      connectTimeoutMs: 1000,
    })
    upstream.setListedModels(['inner'])
    open.push(vllm, { close: () => upstream.destroy() })
    const records: Record<string, unknown>[] = []
    const log = pino({ base: null }, { write: (line) => void records.push(JSON.parse(line)) })
    await probeTokenIds(systemClock, log, upstream, new AbortController().signal)
    return { upstream, record: records.at(-1) }
  }

  it('names the missing server flag when the server cannot return token ids', async () => {
    const { upstream, record } = await probe('refused', true)
    expect(upstream.tokenIds).toBe('never')
    expect(record).toMatchObject({ level: 40, next: 'Start the server with --return-tokens-as-token-ids.' })
  })

  it('suggests the request field where the server supports it, and sends it when configured', async () => {
    const body = Buffer.from('{"model":"inner","logprobs":true}')
    const without = await probe('on-request', false)
    expect(without.record?.next).toContain('--routing.add-token-ids')
    expect(without.upstream.bodyFor(body, 'inner')).toBe(body)
    const added = await probe('on-request', true)
    expect(added.record).toMatchObject({ level: 30, tokenIds: 'on-request' })
    expect(added.upstream.bodyFor(body, 'inner').toString()).toBe(
      '{"return_tokens_as_token_ids":true,"model":"inner","logprobs":true}',
    )
  })

  it('changes no byte when the server always returns token ids, except for an alias', async () => {
    const { upstream } = await probe('always', true)
    const body = Buffer.from('{"model":"inner"}')
    expect(upstream.bodyFor(body, 'inner')).toBe(body)
    expect(upstream.bodyFor(Buffer.from('{"model":"public"}'), 'public').toString()).toBe('{"model":"inner"}')
  })
})
