import { expect, it } from 'vitest'
import { type Report, renderResults } from '../../scripts/gauntlet/results.js'
import { dealFiles } from '../../scripts/gauntlet/shards.js'

type Test = Report['testResults'][number]['assertionResults'][number]
const test = (status: string, gauntlet?: Test['meta']['gauntlet']): Test => ({
  ...{ fullName: 'the disk is full', status, duration: 90_000, meta: gauntlet ? { gauntlet } : {} },
})
const kill = (count: number) => ({ fault: 'F12', kind: 'kill -9', full: 1000, count, seed: 7 })

it('renders a line for each kind with counts, failures and seed, and says what was skipped or not run', () => {
  const scores = {
    name: '/a/test/gauntlet/score-file.test.ts',
    assertionResults: [test('passed', kill(1000)), test('failed', kill(12)), test('skipped')],
  }
  const flood = {
    name: '/a/test/gauntlet/flood.test.ts',
    assertionResults: [test('passed', { fault: 'F4', kind: 'bodies', full: 1, count: 1 })],
  }
  const startTime = Date.UTC(2026, 0, 2)
  const reports = [
    { startTime, testResults: [scores] },
    { startTime, testResults: [flood] },
  ]
  expect(renderResults(reports, ['flood', 'score-file', 'update']).split('\n')).toEqual([
    ...['Run on 2026-01-02:', ''],
    ...['| | kind | count | failures | seed | minutes | file |', '|---|---|---|---|---|---|---|'],
    '| F4 | bodies | 1 | 0 | none | 1.5 | `flood` |',
    '| F12 | kill -9 | 1,012 of 2,000 | 1 | 7 | 3.0 | `score-file` |',
    ...['', 'Skipped:', '', '- `score-file`: the disk is full'],
    ...['', 'Not run at full counts: `update`.'],
  ])
})

it('counts a file that was run again only once, with its last result', () => {
  const result = (count: number) => ({
    startTime: 0,
    testResults: [{ name: 'score-file.test.ts', assertionResults: [test('passed', kill(count))] }],
  })
  const text = renderResults([result(1), result(1000)], ['score-file'])
  expect(text).toContain('| 1,000 | 0 |')
  expect(text).toContain('Every file was run.')
  expect(text.match(/kill -9/g)).toHaveLength(1)
})

it('deals files to shards of like duration, each file once', () => {
  const minutes = { a: 35, b: 20, c: 10, d: 6, e: 1, f: 1 }
  const files = Object.keys(minutes) as (keyof typeof minutes)[]
  const shards = dealFiles(files, 2, (file) => minutes[file])
  expect(shards).toEqual([
    ['a', 'e', 'f'],
    ['b', 'c', 'd'],
  ])
})
