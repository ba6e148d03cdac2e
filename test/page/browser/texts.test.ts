import { describe, expect, it } from 'vitest'
import { BlockTimes } from '../../../src/page/browser/block-times.js'
import { evidenceText, severityOf, worstEvidence } from '../../../src/page/browser/evidence.js'
import {
  causes,
  clockTime,
  count,
  duration,
  fixed,
  median,
  percent,
  shortKey,
} from '../../../src/page/browser/formats.js'
import { namesOf } from '../../../src/page/browser/round-text.js'
import { modelAdvice, modelRows } from '../../../src/page/browser/wanted-models.js'
import { changeText, weightRows } from '../../../src/page/browser/weight-rows.js'

describe('numbers and keys', () => {
  it('writes numbers, shares and counts, and a dash where there are none', () => {
    expect([fixed(1.25, 1), fixed(null, 1), fixed(undefined, 1), fixed(Number.NaN, 1)]).toEqual([
      '1.3',
      '–',
      '–',
      '–',
    ])
    expect([percent(2, 3), percent(0, 5), percent(0, 0)]).toEqual(['67 %', '0 %', '–'])
    expect([count(999), count(1_234_567)]).toEqual(['999', '1\u202f234\u202f567'])
    expect(median([3, 1, 2])).toBe(2)
    expect(median([])).toBeUndefined()
  })

  it('shortens keys, and leaves short ones alone', () => {
    expect(shortKey('5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy')).toBe('5DAAnr…TXFy')
    expect(shortKey('5Miner')).toBe('5Miner')
  })

  it('writes durations in at most two units', () => {
    const texts = [0, 45_000, 59_700, 180_000, 7_500_000, 7_200_000, 90_000_000, 86_400_000].map(duration)
    expect(texts).toEqual(['0 s', '45 s', '1 min', '3 min', '2 h 5 min', '2 h', '1 d 1 h', '1 d'])
    expect(clockTime('2026-01-02T03:04:05.678Z')).toBe('03:04:05')
  })

  it('lists causes, the most frequent first', () => {
    expect(causes({ OVERFIT: 2, NO_LOGPROBS: 5 })).toBe('NO_LOGPROBS 5, OVERFIT 2')
  })
})

describe('the time of blocks', () => {
  it('is measured from blocks that arrived while the page was open', () => {
    const times = new BlockTimes()
    times.note(100, 0)
    times.note(101, 9000)
    expect(times.msPerBlock).toBeUndefined()
    expect(times.describe(5)).toBe('5 blocks')
    times.note(102, 21_000)
    times.note(102, 22_000)
    times.note(104, 45_000)
    expect(times.msPerBlock).toBe(12_000)
    expect(times.describe(10)).toBe('10 blocks, about 2 min')
    expect(times.describe(1)).toBe('1 block, about 12 s')
    expect(times.describe(0)).toBe('0 blocks')
  })
})

describe('evidence', () => {
  const one = { model: 'm', enforced: 0, sentence: '' }

  it('shows the model that is accused most', () => {
    const evidence = [
      { ...one, level: 'clean', suspicion: 9 },
      { ...one, level: 'suspected', suspicion: 2.26 },
    ]
    expect(worstEvidence(evidence)?.level).toBe('suspected')
    expect(evidenceText(evidence)).toBe('suspected, 10^2.3')
    expect(severityOf(evidence)).toBeGreaterThan(1000)
  })

  it('has no number once it accused, because it is counted anew from there', () => {
    expect(evidenceText([{ ...one, level: 'barred', suspicion: 0 }])).toBe('barred')
  })

  it('is clean, or unknown without any', () => {
    expect(evidenceText([{ ...one, level: 'clean', suspicion: 3 }])).toBe('clean')
    expect(evidenceText([])).toBe('–')
    expect(severityOf(undefined)).toBeUndefined()
  })
})

describe('weights', () => {
  const now = {
    block: 720,
    entries: [
      { uid: 1, weightU16: 10 },
      { uid: 2, weightU16: 65_535 },
    ],
  }
  const before = {
    block: 360,
    entries: [
      { uid: 1, weightU16: 30 },
      { uid: 3, weightU16: 5 },
      { uid: 4, weightU16: 0 },
    ],
  }

  it('are compared with those before, where a missing neuron has weight 0', () => {
    const rows = weightRows(now, before, new Map([[1, '5One']]))
    expect(rows).toEqual([
      { uid: 2, hotkey: '', before: 0, now: 65_535 },
      { uid: 1, hotkey: '5One', before: 30, now: 10 },
      { uid: 3, hotkey: '', before: 5, now: 0 },
    ])
    expect(rows.map(changeText)).toEqual(['+65535', '-20', '-5'])
  })

  it('have no change when they are the first', () => {
    expect(weightRows(now, null, new Map()).map(changeText)).toEqual(['–', '–'])
  })
})

it('names the miners of a round with the cause of each', () => {
  const outcomes = [
    { uid: 3, kind: 'failed', cause: 'OVERFIT', tokensPerSecond: 0 },
    { uid: 4, kind: 'verified', cause: null, tokensPerSecond: 9 },
    { uid: 5, kind: 'failed', cause: 'NO_LOGPROBS', tokensPerSecond: 0 },
  ]
  expect(namesOf(outcomes, 'failed')).toBe('3 (OVERFIT), 5 (NO_LOGPROBS)')
  expect(namesOf(outcomes, 'verified')).toBe('4')
})

it('puts models that are wanted and not served first', () => {
  const caller = { hotkey: '5A', uid: 9, requests: 1, inFlight: 0 }
  const rows = modelRows({
    models: ['mine', 'both'],
    wanted: [
      { hotkey: '5A', models: ['both', 'missing'] },
      { hotkey: '5B', models: ['missing'] },
    ],
    callers: [caller],
  })
  expect(rows).toEqual([
    { model: 'missing', isServed: false, wantedBy: ['9', '?'] },
    { model: 'both', isServed: true, wantedBy: ['9'] },
    { model: 'mine', isServed: true, wantedBy: [] },
  ])
  expect(rows.map(modelAdvice)).toEqual([
    'not served: requests for it count as misses',
    'served',
    'served; no validator asks for it',
  ])
})
