import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTopic } from '../../src/roles/role.js'
import { openHub } from '../../src/roles/validator/organics/index.js'
import { ScoreBook } from '../../src/scoring/index.js'
import { servingMiners, viewOf } from '../roles/validator/rounds/round-parts.js'
import { createRigContext, defaultSettings, MODEL } from '../roles/validator/validator-rig.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { startStreamServer } from '../support/stream-server.js'
import { scaled } from './scale.js'
import { GAUNTLET_SEED } from './seed.js'
import { startTally } from './tally.js'

/** What a hub says moves a score no further than our own rounds allow. */

const SPEED = 40
const chunks = Array.from({ length: 10 }, (_, index) => ({
  choices: [
    { index: 0, text: ' w', logprobs: { tokens: [`token_id:${index + 1}`], token_logprobs: [-0.1] } },
  ],
}))
const record = fc.record({
  uid: fc.integer({ min: 1, max: 4 }),
  success: fc.boolean(),
  total_time: fc.oneof(fc.constant(1), fc.double({ min: 1, max: 599_999, noNaN: true })),
  response_tokens: fc.oneof(fc.nat(64_000), fc.constant(Number.MAX_SAFE_INTEGER)),
  response: fc.oneof(fc.constant(chunks), fc.constant([])),
  max_tokens: fc.integer({ min: 10, max: 1_000_000 }),
})

test('the word of a hub moves no score beyond the bounds, and none of miners it does not speak of', async ({
  task,
}) => {
  const tally = startTally(task, {
    fault: 'F33',
    kind: 'buckets of a hub that invents results',
    full: 200,
    isDrawn: true,
  })
  const signer = await hotkeyOf(1)
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 100 }), async (records) => {
      const organics = records.map(({ max_tokens, uid, ...rest }) => ({
        ...{
          ...rest,
          uid,
          hotkey: `5Miner${uid}`,
          coldkey: 'c',
          endpoint: 'COMPLETION',
          time_to_first_token: 0,
        },
        request: { max_tokens, seed: 1, temperature: 0.5, prompt: 'hi' },
      }))
      const bucket = JSON.stringify({ bucket_id: 'b', organics: { [MODEL]: organics } })
      const hub = await startStreamServer((response, { path }) =>
        response.end(path === '/organics' ? bucket : '{}'),
      )
      const stop = new AbortController()
      const book = new ScoreBook({ maxPenalty: 0.1, maxSpeedRatio: 1.5 })
      // Miner 4 has no result of our own, miner 5 is never spoken of.
      for (const uid of [1, 2, 3, 5])
        for (let result = 0; result < 15; result++) book.record(`5Miner${uid}`, MODEL, SPEED, 1)
      const scoreOf = (uid: number) => book.score(`5Miner${uid}`, [MODEL], new Set([MODEL]), 'proportional')
      const own = scoreOf(5)
      const head = createTopic<{ number: number; hash: string }>()
      const context = createRigContext({ signal: stop.signal, view: viewOf(servingMiners(5)), signer })
      const settings = defaultSettings({ 'hub.url': hub.url })
      const opened = openHub({ ...context, settings } as unknown as Parameters<typeof openHub>[0], {
        ...{
          book,
          verify: async () => ({ kind: 'verified' }),
          events: { head, roundJudged: createTopic(), weights: createTopic() },
        },
      })
      head.publish({ number: 100, hash: '0x' })
      await expect.poll(() => hub.received.some(({ path }) => path === '/organics/scores')).toBe(true)
      stop.abort()
      await Promise.all([opened.close(), hub.close()])
      for (const uid of [1, 2, 3]) {
        expect(scoreOf(uid)).toBeGreaterThanOrEqual(own * 0.9 - 1e-9)
        expect(scoreOf(uid)).toBeLessThanOrEqual(own * 2.5 + 1e-9)
      }
      expect(scoreOf(4)).toBe(0)
      expect(scoreOf(5)).toBe(own)
      tally.count++
    }),
    { numRuns: scaled(tally.full, 10), seed: GAUNTLET_SEED },
  )
}, 600_000)
