import { expect, it } from 'vitest'
import { createTopic } from '../../../../src/roles/role.js'
import {
  recentResults,
  recentRounds,
  trackRounds,
} from '../../../../src/roles/validator/reports/recent-rounds.js'
import type { RoundResult } from '../../../../src/roles/validator/rounds/index.js'
import { ManualClock } from '../../../support/manual-clock.js'

function setup() {
  const clock = new ManualClock()
  const result = createTopic<RoundResult>()
  return { clock, result, recent: trackRounds(clock, { result }) }
}

/** What the page shows of a result; the rest of it is left out. */
function resultOf(round: number, uid: number, verdict: RoundResult['verdict'], speed = 50): RoundResult {
  return {
    ...{ round, block: 100 + round, at: 1_734_000_000_000 + round, stallMs: 0 },
    miner: { uid, hotkey: `5Miner${uid}` },
    request: { model: 'org/a', endpoint: 'chat' },
    verdict,
    answer: { tokens: [1, 2, 3], tokensPerSecond: speed, timing: { timeToFirstTokenMs: 40 } },
  } as unknown as RoundResult
}

it('keeps the verdicts of a round as they come', () => {
  const { result, recent } = setup()
  result.publish(resultOf(4, 1, { kind: 'verified' }))
  result.publish(resultOf(4, 2, { kind: 'failed', cause: 'OVERFIT', detail: 'position 7' }))
  result.publish(resultOf(5, 1, { kind: 'inconclusive', reason: 'aborted', detail: '' }))
  const { rounds } = recentRounds.parse(recent.rounds())
  expect(rounds.map(({ round, block, outcomes }) => [round, block, outcomes.length])).toEqual([
    [4, 104, 2],
    [5, 105, 1],
  ])
  expect(rounds[0]?.outcomes).toMatchObject([
    { uid: 1, kind: 'verified', cause: null, tokens: 3, tokensPerSecond: 50, timeToFirstTokenMs: 40 },
    { uid: 2, kind: 'failed', cause: 'OVERFIT' },
  ])
})

it('gives the results of one miner by uid or hotkey, and none of a stranger', () => {
  const { result, recent } = setup()
  result.publish(resultOf(1, 7, { kind: 'verified' }))
  result.publish(resultOf(2, 7, { kind: 'failed', cause: 'OVERFIT', detail: 'x'.repeat(5000) }))
  const found = recentResults.parse(recent.results({ miner: '7' }))
  expect(found).toMatchObject({
    uid: 7,
    hotkey: '5Miner7',
    results: [{ round: 1 }, { round: 2, cause: 'OVERFIT' }],
  })
  expect(found.results[1]?.detail).toHaveLength(300)
  expect(recent.results({ miner: '5Miner7' })).toEqual(found)
  expect(recent.results({ miner: '5Other' })).toEqual({ uid: null, hotkey: null, results: [] })
  expect(recent.results({})).toEqual({ uid: null, hotkey: null, results: [] })
})

it('has no speed for an answer whose time could not be measured', () => {
  const { result, recent } = setup()
  result.publish(resultOf(1, 1, { kind: 'verified', hasNoSpeed: true }))
  expect(recent.results({ miner: '1' }).results).toMatchObject([{ tokensPerSecond: 0 }])
})

it('keeps a bounded number of rounds, results and miners', () => {
  const { result, recent } = setup()
  for (let round = 0; round < 200; round++) result.publish(resultOf(round, 1, { kind: 'verified' }))
  expect(recent.rounds().rounds.map(({ round }) => round)).toEqual(
    Array.from({ length: 40 }, (_, i) => 160 + i),
  )
  expect(recent.results({ miner: '1' }).results).toHaveLength(120)
  for (let uid = 2; uid < 1100; uid++) result.publish(resultOf(300, uid, { kind: 'verified' }))
  expect(recent.results({ miner: '1' }).results).toEqual([])
  expect(recent.results({ miner: '1099' }).results).toHaveLength(1)
})

it('forgets a miner whose place another takes', () => {
  const { result, recent } = setup()
  const former = resultOf(1, 7, { kind: 'verified' })
  result.publish({ ...former, miner: { ...former.miner, hotkey: '5Former' } })
  result.publish(resultOf(2, 7, { kind: 'verified' }))
  expect(recent.results({ miner: '7' })).toMatchObject({ hotkey: '5Miner7', results: [{ round: 2 }] })
  expect(recent.results({ miner: '5Former' })).toEqual({ uid: null, hotkey: null, results: [] })
})
