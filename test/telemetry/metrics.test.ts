import { describe, expect, it } from 'vitest'
import { createMetrics, noteChain, noteScoring } from '../../src/telemetry/index.js'

describe('createMetrics', () => {
  it.each(['miner', 'validator', 'hub'] as const)(
    'describes every metric of a %s with a help text',
    async (role) => {
      const text = await createMetrics(role as 'miner').text()
      const helps = [...text.matchAll(/^# HELP (\w+) (.*)$/gm)]
      const names = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name)
      expect(helps.map(([, name]) => name)).toEqual(names)
      for (const [, name, help] of helps) expect(help, name).toMatch(/^[A-Z0-9].*[^ .]$|^[A-Z0-9].*\.$/)
    },
  )

  it('keeps the metrics of two roles in one process apart', async () => {
    const [miner, validator] = [createMetrics('miner'), createMetrics('validator')]
    miner.chainHeadBlock.set(7)
    expect(await miner.text()).toContain('targon_chain_head_block 7')
    expect(await validator.text()).toContain('targon_chain_head_block 0')
  })

  it('reads at each scrape how many log lines were dropped', async () => {
    let lines = 2
    const metrics = createMetrics('miner', { droppedLines: () => lines })
    expect(await metrics.text()).toContain('targon_log_lines_dropped_total 2')
    lines = 5
    expect(await metrics.text()).toContain('targon_log_lines_dropped_total 5')
  })

  it('exports the verified verdict before the first one', async () => {
    expect(await createMetrics('validator').text()).toContain(
      'targon_validator_verdicts_total{cause="verified"} 0',
    )
  })
})

it('noteChain replaces the number of reconnects and converts the clock offset to seconds', async () => {
  const metrics = createMetrics('miner')
  noteChain(metrics, { reconnects: 2, clockOffsetMs: 500 })
  noteChain(metrics, { reconnects: 3, clockOffsetMs: -1500 })
  const text = await metrics.text()
  expect(text).toContain('targon_chain_reconnects_total 3')
  expect(text).toContain('targon_clock_offset_seconds -1.5')
})

it('noteScoring shows what scoring has cost, and forgets engines that are gone', async () => {
  const metrics = createMetrics('validator')
  const engine = { model: 'org/m', scoringWork: () => ({ calls: 3, answers: 24, tokens: 4800 }) }
  noteScoring(metrics, [engine, { model: 'org/uncounted' }])
  noteScoring(metrics, [engine])
  expect(await metrics.text()).toContain('targon_validator_scored_answers_total{model="org/m"} 24')
  noteScoring(metrics, [])
  expect(await metrics.text()).not.toContain('org/m')
})
