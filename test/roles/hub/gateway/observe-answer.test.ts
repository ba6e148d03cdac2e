import { expect, it } from 'vitest'
import type { AnswerPiece, Attempt } from '../../../../src/roles/hub/asking/index.js'
import { observeAnswer } from '../../../../src/roles/hub/gateway/observe-answer.js'
import type { Served } from '../../../../src/roles/hub/gateway/types.js'
import type { TurnEnd } from '../../../../src/roles/hub/miners/index.js'
import type { OrganicRecord } from '../../../../src/roles/hub/organics/index.js'
import { ManualClock } from '../../../support/manual-clock.js'

const data = `{"choices":[{"delta":{"content":"${'a'.repeat(200)}"}}]}`
const piece: AnswerPiece = {
  data,
  content: {
    text: 'a',
    tokens: [{ text: 'a', tokenId: 1, logprob: -1 }],
    finishReason: undefined,
    lostTokens: false,
  },
  isUsage: false,
  promptTokens: undefined,
}

/** An answer that is there at once, as a miner sends it that has generated it before. */
function attemptOf(pieces: number, end = (_: TurnEnd) => {}, wait = async () => {}): Attempt<AnswerPiece> {
  return {
    miner: { uid: 1, hotkey: 'h', coldkey: 'c', url: 'http://127.0.0.1:1' },
    turn: { end },
    startMs: 0,
    started: Promise.resolve(),
    pieces: async function* () {
      for (let n = 0; n < pieces; n++) {
        await wait()
        yield piece
      }
    },
    abort: () => {},
  }
}

const served = {
  id: 'req_1',
  key: { isRetained: true },
  isReproducible: true,
  request: { path: '', endpoint: 'chat', model: 'm', body: {}, maxTokens: 1 },
  progress: { startMs: 0, tokens: 0 },
} as unknown as Served

it.each([4096, 16_384])(
  'passes %d tokens that are there at once in many turns of the event loop',
  async (tokens) => {
    const records: OrganicRecord[] = []
    const deps = {
      clock: new ManualClock(),
      organics: { record: (record: OrganicRecord) => void records.push(record) },
      isRetaining: true,
    }
    let inTurn = 0
    let most = 0
    let isOver = false
    const count = () => {
      most = Math.max(most, inTurn)
      inTurn = 0
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    for await (const { data } of observeAnswer(attemptOf(tokens), served, deps)) inTurn += data.length
    isOver = true
    expect(Math.max(most, inTurn)).toBeLessThan(2 * (16 << 10) + data.length)
    expect(records).toMatchObject([{ tokens, success: true }])
  },
)

it('measures the miner, not a user who reads slowly', async () => {
  const clock = new ManualClock()
  const records: OrganicRecord[] = []
  const organics = { record: (record: OrganicRecord) => void records.push(record) }
  const ends: TurnEnd[] = []
  const attempt = attemptOf(
    11,
    (how) => void ends.push(how),
    () => clock.advance(100),
  )
  for await (const _ of observeAnswer(attempt, served, { clock, organics, isRetaining: true }))
    await clock.advance(5000)
  expect(ends).toEqual([{ kind: 'answered', firstTokenMs: 100, tokens: 11, streamedMs: 1000 }])
  expect(records).toMatchObject([{ totalMs: 1100, firstTokenMs: 100, tokens: 11, success: true }])
})
