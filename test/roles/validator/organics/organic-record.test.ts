import { expect, test } from 'vitest'
import {
  type OrganicRecord,
  readBucket,
  requestOf,
} from '../../../../src/roles/validator/organics/organic-record.js'

const request = { max_tokens: 10, seed: 1, temperature: 0.5, prompt: 'hi' }
const common = { uid: 1, hotkey: '5Miner1', coldkey: 'cold', endpoint: 'COMPLETION', request }
const answered = {
  success: true,
  total_time: 500,
  time_to_first_token: 50,
  response_tokens: 10,
  response: [],
}
/** As the hub records a miner that is unreachable, rejects the request or disconnects. */
const failed = { success: false, total_time: 0, time_to_first_token: 0, response_tokens: 0, response: null }

const bucketOf = (organics: object) => readBucket(JSON.stringify({ bucket_id: 'b', organics }))

test('accepts a failed request without times or tokens', () => {
  const broken = { ...failed, response_tokens: 3, time_to_first_token: 20, response: [{}] }
  const bucket = bucketOf({ m: [failed, broken].map((change) => ({ ...common, ...change })) })
  expect(bucket).toMatchObject({ refused: 0, records: [{ success: false }, { success: false }] })
})

test('accepts an answer without tokens', () => {
  const bucket = bucketOf({ m: [{ ...common, ...answered, response_tokens: 0 }] })
  expect(bucket).toMatchObject({ refused: 0, records: [{ success: true }] })
})

test.each([
  ['no time', { total_time: 0 }],
  ['a first token after the last', { time_to_first_token: 501 }],
  ['a negative time', { time_to_first_token: -1 }],
  ['an infinite number', { total_time: 'INFINITE' }],
  ['half a token', { response_tokens: 0.5 }],
  ['a prompt that would block the engine', { request: { ...request, prompt: 'a'.repeat(1_000_001) } }],
  [
    'a chat that would block the engine',
    { request: { ...request, messages: new Array(11).fill({ role: 'user', content: 'a'.repeat(100_000) }) } },
  ],
])('rejects an answer with %s, but not the next record', (_, change) => {
  const records = [
    { ...common, ...answered, ...change },
    { ...common, ...answered },
  ]
  const text = JSON.stringify({ bucket_id: 'b', organics: { m: records } }).replace('"INFINITE"', '1e999')
  expect(readBucket(text)).toMatchObject({ refused: 1, records: [{ uid: 1 }] })
})

test('reads a thousand of a million records and rejects a hundred thousand models', () => {
  const many = bucketOf({ a: [{ ...common, ...answered }], b: new Array(1_000_000).fill({ uid: 1 }) })
  expect(many).toMatchObject({ records: [{ model: 'a' }], refused: 1_000_000 })
  const models = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`m${index}`, []]))
  expect(bucketOf(models)).toBeUndefined()
})

test('accepts names of prototype properties as model names', () => {
  const text = `{"bucket_id":"b","organics":{"__proto__":[{"uid":1}],"constructor":[${JSON.stringify({ ...common, ...answered })}]}}`
  expect(readBucket(text)).toMatchObject({ refused: 1, records: [{ model: 'constructor' }] })
})

test.each([
  ['leaves the cuts to the server', {}, true],
  ['states that there are none', { top_p: 1, top_k: -1, min_p: 0, repetition_penalty: 1 }, undefined],
  ['truncates', { top_p: 0.9, top_k: -1, min_p: 0, repetition_penalty: 1 }, true],
  ['leaves one of them to the server', { top_p: 1, top_k: 0, repetition_penalty: 1 }, true],
])('knows whether answers may be cut when the request %s', (_, cuts, mayBeCut) => {
  const bucket = bucketOf({ m: [{ ...common, ...answered, request: { ...request, ...cuts } }] })
  const [record] = bucket?.records ?? []
  expect(requestOf(record as OrganicRecord)?.mayBeCut).toBe(mayBeCut)
})
