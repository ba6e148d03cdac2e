import pino from 'pino'
import { expect, test } from 'vitest'
import type { HubClient } from '../../../../src/roles/validator/organics/hub-client.js'
import { createOrganics } from '../../../../src/roles/validator/organics/organics.js'
import type { RoundPorts } from '../../../../src/roles/validator/rounds/round.js'
import { ScoreBook, safeMeanScore } from '../../../../src/scoring/index.js'
import { servingMiners, viewOf } from '../rounds/round-parts.js'
import { createRigEngine, MODEL } from '../validator-rig.js'

const { signal } = new AbortController()

/** One answered request: ten tokens in half a second, 20 tokens/s. */
function recordOf(uid: number, change: object = {}) {
  const response = Array.from({ length: 10 }, (_, index) => ({
    choices: [
      { index: 0, text: ' w', logprobs: { tokens: [`token_id:${index + 1}`], token_logprobs: [-0.1] } },
    ],
  }))
  return {
    ...{ uid, hotkey: `5Miner${uid}`, coldkey: 'cold', endpoint: 'COMPLETION', success: true },
    ...{ total_time: 500, time_to_first_token: 50, response_tokens: 10 },
    request: { max_tokens: 10, seed: 1, temperature: 0.5, prompt: 'hi' },
    response,
    ...change,
  }
}

function setup(verify: RoundPorts['verify'] = async () => ({ kind: 'verified' }), maxSpeedRatio?: number) {
  const buckets: object[] = []
  const posts: { path: string; body: unknown }[] = []
  const hub: HubClient = {
    post: async (path, body) => {
      posts.push({ path, body })
      return { status: 200, text: JSON.stringify(path === '/organics' ? (buckets.shift() ?? {}) : {}) }
    },
    close: async () => {},
  }
  const book = new ScoreBook()
  const log = pino({ level: 'silent' })
  const view = viewOf(servingMiners(3))
  const engines = () => [createRigEngine()]
  const organics = createOrganics({ log, hub, view, book, engines, verify, signal, maxSpeedRatio })
  const poll = async (block: number, records: unknown[], id = `b${block}`) => {
    buckets.push({ bucket_id: id, organics: { [MODEL]: records } })
    organics.onBlock(block)
    await organics.done()
    buckets.length = 0
  }
  const organicsOf = (hotkey: string) =>
    book.toData().miners.find((miner) => miner.hotkey === hotkey)?.organics ?? []
  return { book, poll, posts, organicsOf }
}

const BAD: [string, unknown][] = [
  ['null', null],
  ['a number', 7],
  ['a list', []],
  ['a prototype', { __proto__: { uid: 1 } }],
  ['no time', recordOf(1, { total_time: null })],
  ['a time of 0', recordOf(1, { total_time: 0 })],
  ['a time of an hour', recordOf(1, { total_time: 3_600_000 })],
  ['a uid out of range', recordOf(70_000)],
  ['the uid of another miner', recordOf(2, { hotkey: '5Miner1' })],
  ['an unregistered miner', recordOf(9)],
  ['no response', recordOf(1, { response: 'text' })],
  ['no prompt', recordOf(1, { request: { max_tokens: 10, seed: 1, temperature: 0.5 } })],
  [
    'a temperature that is text',
    recordOf(1, { request: { max_tokens: 10, seed: 1, temperature: 'hot', prompt: '' } }),
  ],
]

test.each(BAD)('drops a bad record (%s) but not its bucket', async (_, bad) => {
  const { poll, organicsOf, posts } = setup()
  await poll(100, [recordOf(2), bad, recordOf(3)])
  expect(organicsOf('5Miner1')).toEqual([])
  expect(organicsOf('5Miner2')).toEqual([[100, 20]])
  expect(organicsOf('5Miner3')).toEqual([[100, 20]])
  const report = posts.find(({ path }) => path === '/organics/scores')
  expect(report?.body).toMatchObject({ organics: [{ verified: true }, { verified: true }] })
})

test('drops a record whose verification throws, but not its bucket', async () => {
  const { poll, organicsOf } = setup(async (_, request) => {
    if (request.seed === 666) throw new Error('the engine failed on it')
    return { kind: 'verified' }
  })
  const poison = { max_tokens: 10, seed: 666, temperature: 0.5, prompt: 'hi' }
  await poll(100, [recordOf(1, { request: poison }), recordOf(2), recordOf(3)])
  expect(['5Miner1', '5Miner2', '5Miner3'].map((hotkey) => organicsOf(hotkey).length)).toEqual([0, 1, 1])
})

test('adds up the buckets of an epoch, counts a repeated bucket once, and expires each by its block', async () => {
  const { poll, organicsOf, book } = setup()
  await poll(100, [recordOf(1)])
  await poll(120, [recordOf(1), recordOf(1, { total_time: 1000 })])
  await poll(139, [recordOf(1)]) // Fewer than twenty blocks later: no poll.
  await poll(140, [recordOf(1)], 'b120')
  expect(organicsOf('5Miner1')).toEqual([
    [100, 20],
    [120, 20],
    [120, 10],
  ])
  book.expireOrganics(101)
  expect(organicsOf('5Miner1')).toEqual([
    [120, 20],
    [120, 10],
  ])
  book.expireOrganics(121)
  expect(organicsOf('5Miner1')).toEqual([])
})

test('counts the verified tokens, and no speed beyond what our own rounds show of the miner', async () => {
  const { poll, organicsOf, book, posts } = setup(undefined, 1.5)
  for (const uid of [1, 2]) for (let n = 0; n < 15; n++) book.record(`5Miner${uid}`, MODEL, 40, 90)
  for (let n = 0; n < 15; n++) book.record('5Miner2', 'org/other', 1000, 90)
  await poll(100, [
    recordOf(1, { response_tokens: 10_000, request: { ...recordOf(1).request, max_tokens: 10_000 } }),
    recordOf(1, { total_time: 1, time_to_first_token: 0 }),
    recordOf(2, { total_time: 1, time_to_first_token: 0 }),
    // Nothing but the hub speaks for this miner.
    recordOf(3),
  ])
  const most = 1.5 * safeMeanScore(new Array(15).fill(40))
  expect(organicsOf('5Miner1')).toEqual([
    [100, 20],
    [100, most],
  ])
  expect(organicsOf('5Miner2')).toEqual([[100, most]])
  expect(organicsOf('5Miner3')).toEqual([])
  const report = posts.find(({ path }) => path === '/organics/scores')
  expect(report?.body).toMatchObject({ organics: [{ tps: 20 }, {}, {}, { verified: true, tps: 20 }] })
})

test('without a bound, as for --scoring.rules targon-4, the hub is trusted as in 4.4.1', async () => {
  const { poll, organicsOf } = setup()
  await poll(100, [recordOf(1, { total_time: 1, time_to_first_token: 0 })])
  expect(organicsOf('5Miner1')).toEqual([[100, 10_000]])
})

const request = { max_tokens: 10, seed: 1, temperature: 0.5, prompt: 'hi' }
const CHANGING: [string, object][] = [
  ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }],
  ['a JSON format', { response_format: { type: 'json_object' } }],
  ['a grammar', { guided_grammar: 'root ::= "a"' }],
  ['a stop string', { stop: ['\n'] }],
  ['a penalty', { frequency_penalty: 0.5 }],
  ['a bias', { logit_bias: { 5: -100 } }],
  ['a template of its own', { chat_template: '{{ messages }}' }],
]

test.each(CHANGING)(
  'does not judge the answer to a request with %s, which the engine cannot score',
  async (_, change) => {
    const { poll, organicsOf } = setup(
      async () => ({ kind: 'failed', cause: 'UNLIKELY_TOKENS', detail: '' }),
      1.5,
    )
    await poll(100, [recordOf(1, { request: { ...request, ...change } })])
    expect(organicsOf('5Miner1')).toEqual([])
  },
)

test('judges answers to requests whose members change nothing', async () => {
  const neutral = {
    tools: null,
    stop: [],
    presence_penalty: 0,
    response_format: { type: 'text' },
    top_p: 0.9,
  }
  const { poll, organicsOf } = setup(
    async () => ({ kind: 'failed', cause: 'UNLIKELY_TOKENS', detail: '' }),
    1.5,
  )
  await poll(100, [recordOf(1, { request: { ...request, ...neutral } })])
  expect(organicsOf('5Miner1')).toEqual([[100, null]])
})
