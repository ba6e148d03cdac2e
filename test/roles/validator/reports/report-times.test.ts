import { expect, it } from 'vitest'
import { fillHours, inUtc } from '../../../../src/roles/validator/reports/report-times.js'

const hourAt = (at: string) => ({ at, verified: 1, failed: 0, meanTokensPerSecond: 5 })

it('writes times in UTC', () => {
  expect(inUtc('2026-01-31T14:05:59.999Z')).toBe('2026-01-31 14:05 UTC')
  expect(inUtc('2026-01-31T14:05:59+02:00')).toBe('2026-01-31 12:05 UTC')
  expect(inUtc('soon')).toBe('soon')
})

it('keeps missing hours as hours without results', () => {
  const trend = [hourAt('2026-01-01T22:00:00.000Z'), hourAt('2026-01-02T01:00:00.000Z')]
  expect(fillHours(trend, 99).map(({ at, hour }) => [at, hour !== undefined])).toEqual([
    ['2026-01-01T22:00:00.000Z', true],
    ['2026-01-01T23:00:00.000Z', false],
    ['2026-01-02T00:00:00.000Z', false],
    ['2026-01-02T01:00:00.000Z', true],
  ])
  expect(fillHours(trend, 2).map(({ at }) => at)).toEqual([
    '2026-01-02T00:00:00.000Z',
    '2026-01-02T01:00:00.000Z',
  ])
})

it('has one hour for one result, and none without', () => {
  expect(fillHours([hourAt('2026-01-01T22:30:00.000Z')], 24)).toMatchObject([
    { at: '2026-01-01T22:00:00.000Z' },
  ])
  expect(fillHours([], 24)).toEqual([])
})
