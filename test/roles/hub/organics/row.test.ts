import { expect, test } from 'vitest'
import { describeRow, readRow } from '../../../../src/roles/hub/organics/row.js'
import { answerOf, readBucket } from '../../../../src/roles/validator/organics/organic-record.js'
import { organicRecordOf } from '../../../support/organic-records.js'

const NOW = 1_734_000_001_000

function rowOf(...args: Parameters<typeof organicRecordOf>) {
  const row = describeRow(organicRecordOf(...args), NOW)
  if (!row) throw new Error('the record is beyond the bounds')
  return { ...row, text: Buffer.concat(row.portions).toString('utf8') }
}

test('a validator reads the request, the tokens and the times from a row', () => {
  const { text } = rowOf()
  const bucket = readBucket(`{"bucket_id":"b","organics":{"org/m":[${text}]}}`)
  expect(bucket).toMatchObject({ refused: 0, records: [{ uid: 1, request: { seed: 1, max_tokens: 16 } }] })
  const [record] = bucket?.records ?? []
  expect(record && answerOf(record)).toMatchObject({
    text: 'ab',
    tokens: [
      { tokenId: 101, logprob: -0.5 },
      { tokenId: 102, logprob: -0.5 },
    ],
    timing: { totalMs: 200, timeToFirstTokenMs: 50 },
  })
})

test('chunks contain nothing that a validator does not read', () => {
  const { response } = JSON.parse(rowOf().text)
  expect(response[0]).toEqual({
    object: 'chat.completion.chunk',
    choices: [
      {
        delta: { content: 'a' },
        logprobs: { content: [{ token: 'token_id:101', logprob: -0.5 }] },
        finish_reason: null,
      },
    ],
  })
})

test('the request stands in the row as it was sent to the miner', () => {
  const request = {
    model: 'org/m',
    max_tokens: 3,
    seed: 2 ** 31,
    temperature: 0,
    top_p: 0.9,
    user: 'u',
    stop: null,
  }
  expect(JSON.parse(rowOf({ request }).text).request).toEqual(request)
})

test('a request that the miner failed has zero times and tokens', () => {
  const { text } = rowOf({ success: false, response: [], totalMs: 900, firstTokenMs: 100, tokens: 5 })
  expect(JSON.parse(text)).toMatchObject({
    ...{ success: false, total_time: 0, time_to_first_token: 0, response_tokens: 0, response: [] },
  })
  const bucket = readBucket(`{"bucket_id":"b","organics":{"org/m":[${text}]}}`)
  expect(bucket).toMatchObject({ refused: 0, records: [{ success: false }] })
})

test.each([
  ['fractions', { totalMs: 200.6, firstTokenMs: 49.5 }, 201, 50],
  ['an answer within a millisecond', { totalMs: 0.2, firstTokenMs: 0.1 }, 1, 0],
  ['a first token after the end', { totalMs: 10, firstTokenMs: 20 }, 10, 10],
])('times are whole milliseconds: %s', (_, times, total, first) => {
  expect(JSON.parse(rowOf(times).text)).toMatchObject({ total_time: total, time_to_first_token: first })
})

test('a row is read back with the same facts', () => {
  const { text, facts } = rowOf()
  expect(readRow(Buffer.from(text))).toEqual(facts)
  expect(facts).toMatchObject({ atMs: 1_734_000_000_000, model: 'org/m', hotkey: 'hotkey-1' })
})

test.each(['', '{', '{}', '[]', 'null', '{"created_at_ms":"1"}'])('reads no row from %j', (text) => {
  expect(readRow(Buffer.from(text))).toBeUndefined()
})

test('a time in the future becomes the present, so that the row expires', () => {
  expect(rowOf({ atMs: NOW + 1e9 }).facts.atMs).toBe(NOW)
})

test.each([
  ['too many chunks', { response: Array(100_001).fill({ choices: [{}] }) }],
  ['too many values', { request: { messages: Array(500_000).fill(0) } }],
  ['too many bytes', { request: { prompt: 'a'.repeat(9 << 20) } }],
])('describes no record with %s', (_, facts) => {
  expect(describeRow(organicRecordOf(facts), NOW)).toBeUndefined()
})
