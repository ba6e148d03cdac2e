import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import fastify, { type FastifyInstance } from 'fastify'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { signRequest } from '../../../../src/epistula/index.js'
import {
  createAllowedValidators,
  type Organics,
  openOrganics,
  organicRoutes,
  type ReportedVerdict,
} from '../../../../src/roles/hub/organics/index.js'
import { describeRound } from '../../../../src/roles/validator/organics/hub-reports.js'
import { readBucket } from '../../../../src/roles/validator/organics/organic-record.js'
import type { Signer } from '../../../../src/wallet/index.js'
import { neuronOf } from '../../../support/fake-subtensor.js'
import { hotkeyOf } from '../../../support/hotkeys.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { organicRecordOf } from '../../../support/organic-records.js'
import { removeTemporaryFolders, temporaryFolder } from '../../../support/temporary-folder.js'

let validator: Signer
let stranger: Signer
beforeAll(async () => {
  validator = await hotkeyOf(1)
  stranger = await hotkeyOf(2)
})
afterAll(removeTemporaryFolders)

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

type Log = Parameters<typeof organicRoutes>[0]['log']

async function hubOf({ retainMs = 3_600_000, listed = [] as string[] } = {}) {
  // The clock starts before the requests, which the replay guard requires.
  const clock = new ManualClock()
  const verdicts: ReportedVerdict[] = []
  const handedOut: string[] = []
  const events: string[] = []
  const note = ({ event }: { event: string }) => void events.push(event)
  const log = { debug: note, info: note, warn: note, error: note } as unknown as Log
  const end = new AbortController()
  const organics: Organics = await openOrganics({
    ...{ folder: temporaryFolder('organics'), retainMs, retainBytes: 1 << 28, keyFile: undefined },
    ...{ bucketRows: 100, bucketAgeMs: 1_200_000, clock, log, random: Math.random, signal: end.signal },
  })
  const neurons = [
    { ...neuronOf({ uid: 0, hotkey: validator.address }), validatorPermit: true },
    { ...neuronOf({ uid: 1, hotkey: stranger.address }), validatorPermit: false },
  ]
  const find = (hotkey: string) => neurons.find((neuron) => neuron.hotkey === hotkey)
  const server: FastifyInstance = fastify()
  server.register(
    organicRoutes({
      buckets: organics.buckets,
      isAllowed: createAllowedValidators(listed, () => ({ find })),
      models: () => [{ model: 'org/m', contextLength: 4096 }, { model: 'org/n' }],
      noteHandedOut: (bucket) => handedOut.push(bucket),
      noteVerdict: (verdict) => verdicts.push(verdict),
      ...{ clock, log },
    }),
  )
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  closers.push(async () => {
    end.abort()
    await server.close()
    await organics.close()
  })
  const keep = async (...facts: Parameters<typeof organicRecordOf>[]) => {
    for (const fact of facts) organics.record(organicRecordOf(...fact))
    await organics.close()
  }
  const sign = (body: string, signer = validator, nowMs = clock.now()) => ({
    'content-type': 'application/json',
    ...signRequest({ signer, body: Buffer.from(body), nowMs, uuid: randomUUID() }),
  })
  const post = async (path: string, body: string, headers: Record<string, string> = sign(body)) => {
    const answer = await fetch(`${url}${path}`, { method: 'POST', body, headers })
    return { status: answer.status, text: await answer.text() }
  }
  return { clock, url, keep, sign, post, verdicts, handedOut, events }
}

/** json.dumps of Python separates with a space. */
const NAMES = '["org/m", "org/n"]'

test('a validator with a permit gets a bucket that its reader understands', async () => {
  const { keep, post } = await hubOf()
  await keep([{ id: 'r1' }], [{ id: 'r2', uid: 2, hotkey: 'hotkey-2' }], [{ id: 'r3', model: 'org/n' }])
  const { status, text } = await post('/organics', NAMES)
  expect(status).toBe(200)
  const bucket = readBucket(text)
  expect(bucket).toMatchObject({ id: expect.stringMatching(/^b_/), refused: 0 })
  expect(bucket?.records.map(({ uid, model }) => `${uid} ${model}`).sort()).toEqual([
    '1 org/m',
    '1 org/n',
    '2 org/m',
  ])
  expect((await post('/organics', NAMES)).text, 'the same bucket').toBe(text)
})

test('a validator gets only rows of the models it asks for', async () => {
  const { keep, post } = await hubOf()
  await keep([{ id: 'r1' }], [{ id: 'r3', model: 'org/n' }])
  await post('/organics', NAMES)
  const some = JSON.parse((await post('/organics', '["org/n", "org/n", "other"]')).text)
  expect(Object.keys(some.organics)).toEqual(['org/n'])
  expect(JSON.parse((await post('/organics', '[]')).text)).toMatchObject({ organics: {} })
})

test('only a bucket with rows for the validator that asks counts as handed out', async () => {
  const { keep, post, handedOut } = await hubOf()
  await post('/organics', NAMES)
  await keep([{ id: 'r1' }])
  await post('/organics', '["org/n"]')
  const { bucket_id: id } = JSON.parse((await post('/organics', NAMES)).text)
  await post('/organics', '["org/n"]')
  expect(handedOut).toEqual([id])
})

test.each([
  ['nothing has been kept yet', { retainMs: 1000 }],
  ['nothing is to be kept', { retainMs: 0 }],
])('without a bucket its id is null, when %s', async (_, given) => {
  const { post } = await hubOf(given)
  expect(JSON.parse((await post('/organics', NAMES)).text)).toEqual({ bucket_id: null, organics: {} })
})

test('verdicts on organics are noted with the validator that signed them', async () => {
  const { post, verdicts } = await hubOf()
  const stat = (verified: boolean, model = 'org/m') => ({
    ...{ time_to_first_token: 1, time_for_all_tokens: 2, total_time: 3, tps: 4.5, tokens: [], verified },
    ...{ error: null, cause: null, model, max_tokens: 5, seed: 6, temperature: 0.5, uid: 7, hotkey: '5H' },
    ...{ coldkey: '5C', endpoint: 'CHAT', total_tokens: 9 },
  })
  const body = JSON.stringify({ organics: [stat(true), null, { hotkey: 3 }, stat(false, 'org/n')] })
  expect(await post('/organics/scores', body)).toEqual({ status: 200, text: '["",200]' })
  const by = { validator: validator.address, hotkey: '5H', isOrganic: true }
  expect(verdicts).toEqual([
    { ...by, model: 'org/m', isVerified: true },
    { ...by, model: 'org/n', isVerified: false },
  ])
})

test('the report of a round by our own validator is noted', async () => {
  const { post, verdicts } = await hubOf()
  const answer = { timing: { timeToFirstTokenMs: 1, timeForAllTokensMs: 1, totalMs: 2 }, tokens: [] }
  const report = describeRound({
    results: [
      { miner: neuronOf({ uid: 3, hotkey: '5M3' }), answer, verdict: { kind: 'verified' } },
      {
        miner: neuronOf({ uid: 4, hotkey: '5M4' }),
        answer,
        verdict: { kind: 'failed', cause: 'x', detail: '' },
      },
    ] as unknown as Parameters<typeof describeRound>[0]['results'],
    ...{ models: ['org/m'], scores: {}, hotkey: validator.address, block: 1 },
    request: { endpoint: 'chat', model: 'org/m', messages: [], seed: 1, temperature: 1, maxTokens: 9 },
  })
  expect(await post('/', JSON.stringify(report))).toEqual({ status: 200, text: '["",200]' })
  expect(verdicts).toMatchObject([
    { hotkey: '5M3', model: 'org/m', isVerified: true, isOrganic: false },
    { hotkey: '5M4', model: 'org/m', isVerified: false, isOrganic: false },
  ])
})

test('a list of validators replaces the permits', async () => {
  const { post, sign } = await hubOf({ listed: [stranger.address] })
  expect((await post('/organics', NAMES, sign(NAMES, stranger))).status).toBe(200)
  expect((await post('/organics', NAMES)).status).toBe(401)
})

test.each(['/organics', '/organics/scores', '/'])('POST %s is refused without a permit', async (path) => {
  const { post, sign, verdicts } = await hubOf()
  expect(await post(path, NAMES, sign(NAMES, stranger))).toEqual({
    status: 401,
    text: '{"detail":"This hotkey may not read organics or report verdicts"}',
  })
  expect(verdicts).toEqual([])
})

test('refuses requests with the status and the text of 4.4.1', async () => {
  const { post, sign, clock } = await hubOf()
  const signed = sign(NAMES)
  const detail = async (headers: Record<string, string>, body = NAMES) => {
    const { status, text } = await post('/organics', body, headers)
    return [status, JSON.parse(text).detail]
  }
  const without = (headers: Record<string, string>, name: string) =>
    Object.fromEntries(Object.entries(headers).filter(([other]) => other !== name))
  expect(await detail({})).toEqual([400, 'Invalid Sender key'])
  expect(await detail(without(signed, 'Epistula-Version'))).toEqual([400, 'Unknown Epistula version'])
  expect(await detail(without(signed, 'Epistula-Uuid'))).toEqual([400, 'Invalid uuid'])
  expect(await detail(signed, '["org/m"]')).toEqual([400, 'Signature Mismatch'])
  expect(await detail({ ...signed, 'Epistula-Signed-For': stranger.address })).toEqual([
    400,
    'Bad Request, message is not intended for self',
  ])
  expect(await detail(sign(NAMES, validator, clock.now() - 8001))).toEqual([400, 'Request is too stale'])
  expect(await detail(sign(NAMES, validator, clock.now() + 8001))).toEqual([
    400,
    'Request is too far in the future',
  ])
  expect(await detail({ ...signed, 'Epistula-Signed-By': 'x'.repeat(48) })).toEqual([
    400,
    'Invalid Sender key',
  ])
  expect((await post('/organics', NAMES, signed)).status).toBe(200)
  expect(await detail(signed)).toEqual([400, 'Request was received before'])
})

test.each([
  ['/organics', '{}', 'The body must be a JSON list of model names'],
  ['/organics', '[1]', 'The body must be a JSON list of model names'],
  ['/organics', 'x', 'The body must be a JSON list of model names'],
  ['/organics', '', 'The body must be a JSON list of model names'],
  ['/organics/scores', '[]', 'The body is not a report'],
  ['/organics/scores', `{"organics":[${'['.repeat(100)}`, 'The body is not a report'],
  ['/', '{"request":{}}', 'The body is not a report'],
])('POST %s refuses the body %s', async (path, body, detail) => {
  const { post } = await hubOf()
  expect(await post(path, body)).toEqual({ status: 400, text: JSON.stringify({ detail }) })
})

test('a body beyond the bounds is refused', async () => {
  const { post } = await hubOf()
  const body = `["${'a'.repeat(300_000)}"]`
  expect((await post('/organics', body)).status).toBe(413)
})

test('a stranger is refused before its body has been sent', async () => {
  const { url, sign } = await hubOf()
  const status = await new Promise((resolve, reject) => {
    const sent = httpRequest(`${url}/`, {
      method: 'POST',
      headers: { ...sign(NAMES, stranger), 'content-length': String(30 << 20) },
    })
    sent.on('response', ({ statusCode }) => {
      resolve(statusCode)
      sent.destroy()
    })
    sent.on('error', reject)
    sent.flushHeaders()
  })
  expect(status).toBe(401)
})

test('forged callers cannot make the hub hold more than a bound of bodies', async () => {
  const { url, sign, post } = await hubOf()
  const open = () =>
    new Promise<number | undefined>((resolve) => {
      const sent = httpRequest(`${url}/`, {
        method: 'POST',
        headers: { ...sign(NAMES), 'content-length': String(30 << 20) },
      })
      sent.on('response', ({ statusCode }) => resolve(statusCode))
      sent.on('error', () => resolve(undefined))
      closers.push(() => sent.destroy())
      sent.flushHeaders()
      sent.write('{')
    })
  const waiting = [open(), open()]
  await expect.poll(open).toBe(503)
  for (const close of closers.splice(1)) await close()
  await Promise.all(waiting)
  await expect.poll(async () => (await post('/organics', NAMES)).status).toBe(200)
})

test.each([
  ['/api/models', ['org/m', 'org/n']],
  ['/api/models?v=1', ['org/m', 'org/n']],
  [
    '/api/models?v=2',
    [
      { model: 'org/m', context_length: 4096 },
      { model: 'org/n', context_length: null },
    ],
  ],
  ['/ping', ['', 200]],
])('GET %s needs no signature', async (path, expected) => {
  const { url } = await hubOf()
  expect(await (await fetch(`${url}${path}`)).json()).toEqual(expected)
})
