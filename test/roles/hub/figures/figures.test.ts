import pino from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { type Figures, openFigures } from '../../../../src/roles/hub/figures/index.js'
import type { RequestEnd } from '../../../../src/roles/hub/gateway/index.js'
import { createMetrics } from '../../../../src/telemetry/index.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { createMemoryAccounts } from '../../../support/memory-accounts.js'

const answered: RequestEnd = {
  ...{ id: 'req_1', key: 'key_1', route: '/v1/chat/completions', model: 'org/a', outcome: 'answered' },
  ...{ code: undefined, causes: [], attempts: 1, hedges: 0, firstTokenMs: 100, totalMs: 1100 },
  ...{ promptTokens: 7, tokens: 11 },
}
const failed: RequestEnd = {
  ...{ ...answered, outcome: 'failed', code: 'miner_failed', attempts: 3, hedges: 1 },
  ...{ firstTokenMs: undefined, promptTokens: 0, tokens: 0 },
}

const ending: AbortController[] = []
afterEach(() => {
  for (const one of ending.splice(0)) one.abort()
})

function open() {
  const [clock, accounts, stopping] = [new ManualClock(), createMemoryAccounts(), new AbortController()]
  ending.push(stopping)
  const metrics = createMetrics('hub', { droppedLines: () => 0, genAi: true })
  const log = pino({ level: 'silent' })
  const figures = openFigures({ metrics, accounts, clock, log, signal: stopping.signal, inFlight: () => 4 })
  return { figures, metrics, clock, accounts, stopping }
}

const noteMany = ({ noteEnd }: Figures, ends: readonly RequestEnd[]) => ends.forEach(noteEnd)

describe('the figures of a hub', () => {
  it('tell requests by model, and takeovers from hedges', () => {
    const { figures } = open()
    noteMany(figures, [
      answered,
      failed,
      { ...failed, model: undefined, outcome: 'refused', attempts: 0, hedges: 0 },
    ])
    expect(figures.counts()).toEqual({ answered: 1, refused: 1, failed: 1, left: 0 })
    expect(figures.asked()).toEqual({ attempts: 4, failovers: 1, hedges: 1 })
    expect(figures.errors()).toEqual({ miner_failed: 2 })
    expect(figures.traffic()).toEqual([
      {
        ...{
          model: 'org/a',
          answered: 1,
          refused: 0,
          failed: 1,
          left: 0,
          attempts: 4,
          failovers: 1,
          hedges: 1,
        },
        ...{ promptTokens: 7, tokens: 11 },
        ...{ firstTokenMs: { p50: 100, p95: 100 }, tokensPerSecond: { p50: 10, p95: 10 } },
      },
    ])
  })

  it('keep a bounded number of models, those that were asked for last', () => {
    const { figures } = open()
    noteMany(
      figures,
      Array.from({ length: 300 }, (_, index) => ({ ...answered, model: `org/${index}` })),
    )
    expect(figures.traffic()).toHaveLength(256)
    expect(figures.traffic().at(-1)?.model).toBe('org/299')
  })

  it('export few series, however many models and keys there are', async () => {
    const { figures, metrics } = open()
    noteMany(
      figures,
      Array.from({ length: 300 }, (_, index) => ({
        ...answered,
        model: `org/${index}`,
        key: `key_${index}`,
      })),
    )
    noteMany(figures, [answered, { ...answered, model: 'org/0', key: 'key_0' }])
    const text = await metrics.text()
    expect(text.match(/^targon_hub_model_requests_total\{/gm)).toHaveLength(101)
    expect(text).toContain('targon_hub_model_requests_total{model="other",outcome="answered"} 201')
    expect(text).toContain('targon_hub_model_requests_total{model="org/0",outcome="answered"} 2')
    expect(text.match(/^targon_hub_key_tokens_total\{/gm)).toHaveLength(201)
    expect(text).toContain('targon_hub_key_tokens_total{key="other"} 1800')
    expect(text.match(/^gen_ai_server_request_duration_seconds_count\{/gm)).toHaveLength(101)
  })

  it('sample what ended in each interval, and stop with the signal', async () => {
    const { figures, clock, stopping } = open()
    noteMany(figures, [answered, failed, { ...answered, firstTokenMs: 300, tokens: 14 }])
    await clock.advance(5000)
    await clock.advance(5000)
    expect(figures.series().samples).toEqual([
      {
        ...{ at: expect.any(String), requests: 3, answered: 2, refused: 0, failed: 1, left: 0 },
        ...{ failovers: 1, hedges: 1, inFlight: 4, tokensPerSecond: 5, firstTokenMs: 300 },
      },
      {
        ...{ at: expect.any(String), requests: 0, answered: 0, refused: 0, failed: 0, left: 0 },
        ...{ failovers: 0, hedges: 0, inFlight: 4, tokensPerSecond: 0, firstTokenMs: null },
      },
    ])
    stopping.abort()
    await clock.advance(5000)
    expect(figures.series().samples).toHaveLength(2)
  })

  it('tell what each validator reported, the last one last', async () => {
    const { figures, metrics, clock } = open()
    const verdict = { hotkey: '5Miner', model: 'org/a', isVerified: true, isOrganic: true }
    figures.noteVerdict({ ...verdict, validator: '5A' })
    figures.noteVerdict({ ...verdict, validator: '5B' })
    await clock.advance(1000)
    figures.noteVerdict({ ...verdict, validator: '5A', isVerified: false })
    expect(figures.reports()).toMatchObject([
      { hotkey: '5B', verified: 1, failed: 0 },
      { hotkey: '5A', verified: 1, failed: 1, at: new Date(clock.now()).toISOString() },
    ])
    for (let index = 0; index < 300; index++) figures.noteVerdict({ ...verdict, validator: `5V${index}` })
    expect(figures.reports()).toHaveLength(256)
    expect(await metrics.text()).toContain('targon_hub_verdicts_total{result="failed"} 1')
  })

  it('read what keys have used again and again, and keep the last figures while the database is down', async () => {
    const { figures, clock, accounts } = open()
    await expect.poll(() => figures.spend()?.keys[0]?.tokensToday).toBe(0)
    accounts.settled.push({ promptTokens: 2, completionTokens: 3 })
    await clock.advance(15_000)
    expect(figures.spend()?.keys).toMatchObject([{ id: 'key_1', tokensToday: 5 }])
    accounts.isDown = true
    await clock.advance(15_000)
    expect(figures.spend()?.keys).toMatchObject([{ tokensToday: 5 }])
  })
})
