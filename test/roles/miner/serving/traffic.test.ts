import { expect, it } from 'vitest'
import { createTraffic, startSeries } from '../../../../src/roles/miner/serving/index.js'
import { minerSeries } from '../../../../src/roles/miner/serving/series.js'
import { ManualClock } from '../../../support/manual-clock.js'

const ALICE = { hotkey: '5Alice', uid: 4 }

it('counts requests by caller and model, with the times to the first byte', () => {
  const traffic = createTraffic()
  for (let ms = 1; ms <= 100; ms++) traffic.ended(ALICE, 'org/a', 'answered', ms)
  traffic.ended(ALICE, 'org/a', 'failed')
  traffic.ended({ hotkey: '5Bob', uid: 5 }, 'org/a', 'refused')
  expect(traffic.report()).toEqual([
    // of the last 64 answers
    {
      ...{ id: '5Alice org/a', hotkey: '5Alice', uid: 4, model: 'org/a' },
      ...{ answered: 100, refused: 0, failed: 1, abandoned: 0, firstByteMs: { p50: 69, p95: 97 } },
    },
    {
      ...{ id: '5Bob org/a', hotkey: '5Bob', uid: 5, model: 'org/a' },
      ...{ answered: 0, refused: 1, failed: 0, abandoned: 0, firstByteMs: null },
    },
  ])
})

it('keeps a bounded number of callers and models, those that asked last', () => {
  const traffic = createTraffic()
  for (let index = 0; index < 600; index++) traffic.ended(ALICE, `model-${index}`, 'refused')
  traffic.ended(ALICE, 'm'.repeat(100_000), 'refused')
  const report = traffic.report()
  expect(report).toHaveLength(512)
  expect(report.at(-2)?.model).toBe('model-599')
  expect(report.at(-1)?.model).toHaveLength(200)
})

it('samples what ended in each interval, and stops with the signal', async () => {
  const clock = new ManualClock()
  const stopping = new AbortController()
  const traffic = createTraffic()
  const counts = { requests: 0, answered: 0, refused: 0, failed: 0, abandoned: 0 }
  let speeds: (number | null)[] = [null, null]
  const sources = {
    counts: () => ({ ...counts }),
    inFlight: () => 3,
    takeFirstBytes: traffic.takeFirstBytes,
    tokensPerSecond: () => speeds,
  }
  const series = startSeries(clock, sources, stopping.signal)
  expect(series().samples).toEqual([])
  counts.requests = 10
  counts.answered = 9
  counts.failed = 1
  for (const ms of [30, 10, 20]) traffic.ended(ALICE, 'org/a', 'answered', ms)
  await clock.advance(5000)
  speeds = [40, null, 2.5]
  counts.requests = 12
  await clock.advance(5000)
  const { intervalMs, samples } = minerSeries.parse(series())
  expect(intervalMs).toBe(5000)
  expect(samples).toMatchObject([
    { requests: 10, answered: 9, failed: 1, inFlight: 3, tokensPerSecond: null, firstByteMs: 20 },
    { requests: 2, answered: 0, failed: 0, tokensPerSecond: 42.5, firstByteMs: null },
  ])
  await clock.advance(2 * 3_600_000)
  expect(series().samples).toHaveLength(720)
  stopping.abort()
  await clock.advance(60_000)
  expect(series().samples).toHaveLength(720)
  expect(clock.waiting).toBe(0)
})
