import { describe, expect, it } from 'vitest'
import { escapeTexts, explainReport } from '../../../../src/roles/validator/reports/explained.js'
import type { MinersReport } from '../../../../src/roles/validator/reports/read-report.js'
import { describeCauses } from '../../../../src/roles/validator/reports/rows.js'
import type { ValidatorStatus } from '../../../../src/roles/validator/reports/status.js'

const at = '2026-01-01T00:00:00.000Z'

function statusOf(uid: number, score: number): ValidatorStatus['miners'][number] {
  const verdicts = { verified: 1, inconclusive: 0, failed: {} }
  return {
    uid,
    hotkey: `5Miner${uid}`,
    models: ['org/a'],
    verdicts,
    last: null,
    meanTokensPerSecond: 0,
    score,
  }
}

function reportOf(past: readonly number[], present: readonly [uid: number, score: number][]): MinersReport {
  const now: ValidatorStatus = {
    ...{ role: 'validator', uid: 0, hotkey: '5Validator', block: 61, epoch: { index: 2, nextBlock: 90 } },
    ...{
      models: ['org/a'],
      engines: [],
      rounds: 12,
      weights: { block: 60, entries: [{ uid: 5, weightU16: 65_535 }] },
    },
    miners: present.map(([uid, score]) => statusOf(uid, score)),
  }
  const miners = past.map((uid) => ({ uid, hotkey: `5Miner${uid}`, from: at, to: at, models: [] }))
  return { source: 'validator', since: at, miners, now: present.length > 0 ? now : null }
}

describe('explainReport', () => {
  it('combines history and status, with the highest score first', () => {
    const { miners, validator } = explainReport(reportOf([5, 7], [[3, 1], [5, 9]])) // biome-ignore format: pairs
    expect(miners.map(({ uid, score, weightU16, from }) => [uid, score, weightU16, from])).toEqual([
      [5, 9, 65_535, at],
      [3, 1, 0, null],
      [7, null, null, at],
    ])
    expect(validator).toMatchObject({ uid: 0, block: 61, rounds: 12 })
    expect(validator).not.toHaveProperty('miners')
  })

  it('sorts by uid when no validator runs', () => {
    const { miners, validator } = explainReport(reportOf([7, 5], []))
    expect(validator).toBeNull()
    expect(miners).toMatchObject([
      { uid: 5, score: null, serves: null, sinceStart: null },
      { uid: 7, score: null, serves: null, sinceStart: null },
    ])
  })

  it.each(['3', '5Miner3'])('adds the status of the one miner asked for, given as %s', (miner) => {
    const { miners } = explainReport(reportOf([], [[3, 1], [5, 9]]), miner) // biome-ignore format: pairs
    expect(miners.map(({ uid }) => uid)).toEqual([3])
  })
})

it('counts since the start of a validator only when it keeps no history', () => {
  const found = reportOf([], [[3, 1]])
  const rowsWith = (history: boolean) => {
    const { counted, rows } = explainReport({ ...found, now: found.now && { ...found.now, history } })
    return [counted, rows.map(({ uid, model, verified }) => [uid, model, verified])]
  }
  expect(rowsWith(false)).toEqual(['start', [[3, 'org/a', 1]]])
  expect(rowsWith(true)).toEqual(['period', [[3, 'org/a', 0]]])
})

it('lists causes, most frequent first', () => {
  expect(describeCauses({ NO_LOGPROBS: 1, OVERFIT: 3 })).toBe('OVERFIT 3, NO_LOGPROBS 1')
  expect(describeCauses({})).toBe('0')
})

it('escapes control characters in every text and key', () => {
  const escaped = escapeTexts({ 'a\u001b': ['\u202e', { b: '\u009b' }], n: 1, none: null })
  expect(escaped).toEqual({ 'a\\u001b': ['\\u202e', { b: '\\u009b' }], n: 1, none: null })
})
