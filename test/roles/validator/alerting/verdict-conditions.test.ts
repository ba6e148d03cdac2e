import { describe, expect, it } from 'vitest'
import { createTopic } from '../../../../src/roles/role.js'
import {
  type JudgedAnswer,
  verdictConditions,
} from '../../../../src/roles/validator/alerting/verdict-conditions.js'
import type { Verdict } from '../../../../src/verification/index.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { servingMiners, viewOf } from '../rounds/round-parts.js'
import { defaultSettings, MODEL } from '../validator-rig.js'

const { signal } = new AbortController()
const verified = { kind: 'verified' } as Verdict
const failed = { kind: 'failed', cause: 'LOGPROB_RANDOM' } as unknown as Verdict
const inconclusive = { kind: 'inconclusive', reason: 'engine-unavailable' } as unknown as Verdict

function setup() {
  const clock = new ManualClock()
  const result = createTopic<JudgedAnswer>()
  const context = { clock, view: viewOf(servingMiners(1)), settings: defaultSettings({}) }
  const conditions = verdictConditions(context, { events: { result } })
  const judge = (verdict: Verdict, times = 1, miners = 3) => {
    for (let number = 0; number < times; number++)
      result.publish({ verdict, request: { model: MODEL }, miner: { hotkey: `5Miner${number % miners}` } })
  }
  const found = async () => {
    const lists = await Promise.all(
      conditions.map(async ({ id, look }) => (await look(signal)).map((finding) => ({ id, ...finding }))),
    )
    return lists.flat()
  }
  return { clock, judge, found }
}

describe('verdicts', () => {
  it('raise nothing while some are verified', async () => {
    const { judge, found } = setup()
    judge(failed, 100)
    judge(inconclusive, 20)
    judge(verified)
    expect(await found()).toEqual([])
  })

  it('tell when none was verified for half an hour', async () => {
    const { clock, judge, found } = setup()
    await clock.advance(1_000_000)
    judge(verified)
    await clock.advance(1_799_000)
    expect(await found()).toEqual([])
    await clock.advance(1000)
    expect(await found()).toMatchObject([
      { id: 'nothing-verified', sentence: 'No answer has been verified for 30 min.' },
    ])
    judge(verified)
    expect(await found()).toEqual([])
  })

  it('tell when more than half are inconclusive, with the most frequent reason', async () => {
    const { clock, judge, found } = setup()
    judge(verified, 9)
    judge(inconclusive, 10)
    expect(await found()).toEqual([])
    judge(inconclusive, 1)
    expect(await found()).toMatchObject([
      {
        id: 'inconclusive-high',
        sentence:
          '55 % of the 20 verdicts of the last half hour are inconclusive, most often because of engine-unavailable.',
      },
    ])
    await clock.advance(1_700_000)
    judge(verified, 30)
    expect(await found()).toEqual([])
  })

  it('tell a model of which every answer of several miners failed', async () => {
    const one = setup()
    one.judge(failed, 50, 1)
    expect(await one.found()).toEqual([])
    const { judge, found } = setup()
    judge(failed, 20)
    expect(await found()).toMatchObject([
      {
        id: 'model-failing',
        subject: MODEL,
        sentence: `All 20 answers of 3 miners to ${MODEL} in the last half hour failed, most often with LOGPROB_RANDOM.`,
      },
    ])
    judge(verified)
    expect(await found()).toEqual([])
  })
})
