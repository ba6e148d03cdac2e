import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConnectedEngine, connectEngine } from '../../src/engine/index.js'
import type { InferenceRequest } from '../../src/inference/index.js'
import { encodeRequest, pathOf } from '../../src/inference/request.js'
import { systemClock } from '../../src/kernel/clock.js'
import { type StreamServer, startStreamServer } from '../support/stream-server.js'
import { MODEL, requestOf, startVerificationRig, type VerificationRig } from '../support/verification-rig.js'

const MAX_TOKENS = 12
const ENDPOINTS = ['chat', 'completion'] as const

let rig: VerificationRig
/** Serves the bytes in `body`. */
let miner: StreamServer
let body: Uint8Array = new Uint8Array()
const requests = new Map<string, InferenceRequest>()
/** The stream of an honest miner for each request. */
const honest = new Map<string, Buffer>()

beforeAll(async () => {
  rig = await startVerificationRig()
  miner = await startStreamServer((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(body)
  })
  const { url } = await rig.startMiner()
  for (const endpoint of ENDPOINTS) {
    const request = await requestOf('no escape', { temperature: 0.7, endpoint, maxTokens: MAX_TOKENS })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(url + pathOf(endpoint), {
      method: 'POST',
      headers,
      body: encodeRequest(request),
    })
    requests.set(endpoint, request)
    honest.set(endpoint, Buffer.from(await answer.arrayBuffer()))
  }
})
afterAll(async () => {
  await rig.close()
  await miner.close()
})

const limits = { firstTokenMs: 2_000, gapMs: 2_000, totalMs: 5_000 }

/** From the bytes on the wire to the verdict, as in a round. */
async function judgeBytes(endpoint: string, bytes: Uint8Array, by: ConnectedEngine = rig.engine) {
  const request = requests.get(endpoint)
  if (!request) throw new Error('no such endpoint')
  body = bytes
  const answer = await rig.ask(miner.url, request, { limits })
  return await rig.verify(request, answer, 'strict', by)
}

/** One change of a byte stream; positions are shares of its length. */
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  from: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.nat(40),
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 8 }),
    fc.string({ maxLength: 8 }).map((text) => Buffer.from(text)),
  ),
  kind: fc.constantFrom('overwrite', 'insert', 'delete', 'copy', 'digit', 'digit', 'letter', 'letter', 'cut'),
})
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never

/** A digit of an id or a logprob; a letter of the text. */
const NUMBER = /(?<=token_id:|logprobs?":\s?\[?-?[0-9.]*)\d/
const TEXT = /(?<="(?:content|text)":\s?"[^"]*)[A-Za-z]/

function applyEdit(stream: Buffer, { at, from, length, bytes, kind }: Edit): Buffer {
  const place = Math.floor(at * stream.length)
  const [before, after] = [stream.subarray(0, place), stream.subarray(place)]
  const next = (pattern: RegExp) => place + Math.max(0, after.toString('latin1').search(pattern))
  switch (kind) {
    case 'overwrite':
      return Buffer.concat([before, bytes, after.subarray(bytes.length)])
    case 'insert':
      return Buffer.concat([before, bytes, after])
    case 'delete':
      return Buffer.concat([before, after.subarray(length)])
    case 'copy': {
      const source = Math.floor(from * stream.length)
      return Buffer.concat([before, stream.subarray(source, source + length * 10), after])
    }
    case 'cut':
      return at < 0.5 ? stream : before
    default: {
      // Keeps the JSON valid, so that ids, logprobs and text change.
      const copy = Buffer.from(stream)
      const target = next(kind === 'digit' ? NUMBER : TEXT)
      copy[target] = kind === 'digit' ? 48 + (length % 10) : 97 + (length % 26)
      return copy
    }
  }
}

const line = (event: unknown) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`

/** A completion stream that claims these tokens. */
const streamOf = (
  tokens: readonly { readonly id: unknown; readonly logprob: unknown; readonly text: string }[],
  finish: string,
) =>
  Buffer.from(
    [
      ...tokens.map(({ id, logprob, text }) => ({
        choices: [
          {
            index: 0,
            text,
            logprobs: { tokens: [`token_id:${id}`], token_logprobs: [logprob] },
            finish_reason: null,
          },
        ],
      })),
      { choices: [{ index: 0, text: '', logprobs: null, finish_reason: finish }] },
      '[DONE]',
    ]
      .map(line)
      .join(''),
  )

describe('under strict, no answer of a miner is inconclusive', () => {
  it('for arbitrary bytes', async () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc
        .array(fc.oneof(fc.json(), fc.string(), fc.constant('[DONE]')), { maxLength: 8 })
        .map((events) => Buffer.from(events.map(line).join(''))),
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ENDPOINTS), anything, async (endpoint, bytes) => {
        expect((await judgeBytes(endpoint, bytes)).kind).not.toBe('inconclusive')
      }),
      { numRuns: 40 },
    )
  })

  it('for edits of an honest stream', async () => {
    for (const endpoint of ENDPOINTS)
      expect(await judgeBytes(endpoint, honest.get(endpoint) ?? Buffer.alloc(0))).toEqual({
        kind: 'verified',
      })
    const causes: string[] = []
    const edits = fc.array(edit, { minLength: 0, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ENDPOINTS), edits, async (endpoint, changes) => {
        const bytes = changes.reduce(applyEdit, honest.get(endpoint) ?? Buffer.alloc(0))
        const verdict = await judgeBytes(endpoint, bytes)
        causes.push(verdict.kind === 'failed' ? verdict.cause : verdict.kind)
        expect(verdict.kind).not.toBe('inconclusive')
      }),
      { numRuns: 150 },
    )
    // Many edits must get past the reader, and some as far as the engine.
    const beyond = causes.filter((cause) => cause !== 'BAD_STREAM' && cause !== 'STREAM_LIMIT')
    expect(beyond.length).toBeGreaterThan(causes.length / 4)
    expect(causes).toContain('verified')
    expect(new Set(beyond).size).toBeGreaterThanOrEqual(3)
  })

  it('for arbitrary claimed tokens', async () => {
    const anyId = fc.oneof(
      fc.nat(1300),
      fc.integer(),
      fc.double(),
      fc.constantFrom(2 ** 31, 2 ** 53, -1, 1261, 1262),
    )
    const anyLogprob = fc.oneof(
      fc.double(),
      fc.double({ min: -12, max: 0 }),
      fc.constantFrom(0, -100, 1000, -9999),
    )
    const anyText = fc.oneof(fc.string(), fc.constantFrom('', '\ud800', '\u0000', '<|eot_id|>', ' the'))
    const tokens = fc.array(fc.record({ id: anyId, logprob: anyLogprob, text: anyText }), { maxLength: 16 })
    await fc.assert(
      fc.asyncProperty(tokens, fc.constantFrom('stop', 'length', 'x'), async (claimed, finish) => {
        expect((await judgeBytes('completion', streamOf(claimed, finish))).kind).not.toBe('inconclusive')
      }),
      { numRuns: 60 },
    )
  })

  it('for arbitrary ids of the vocabulary, including ids unknown to the tokenizer', async () => {
    const { engine, vocabularySize, close } = await connectPadded()
    const causes = new Set<string>()
    try {
      const ids = fc.array(fc.oneof(fc.nat(1261), fc.integer({ min: 1255, max: vocabularySize - 1 })), {
        minLength: 3,
        maxLength: MAX_TOKENS,
      })
      await fc.assert(
        fc.asyncProperty(ids, fc.boolean(), async (picked, spells) => {
          const text = spells ? await spell(picked) : 'x'
          const tokens = picked.map((id, index) => ({ id, logprob: -1, text: index === 0 ? text : '' }))
          const verdict = await judgeBytes('completion', streamOf(tokens, 'length'), engine)
          expect(verdict.kind).toBe('failed')
          if (verdict.kind === 'failed') causes.add(verdict.cause)
        }),
        { numRuns: 40 },
      )
      expect(causes).toContain('BAD_TOKEN')
    } finally {
      await close()
    }
  })
})

/** The text of those ids that the tokenizer knows. */
const spell = (ids: readonly number[]) =>
  rig.engine.detokenize(
    ids.filter((id) => id < 1262),
    new AbortController().signal,
  )

/** The engine with a config.json whose vocabulary is larger than its tokenizer, as with real models. */
async function connectPadded() {
  const modelDir = await mkdtemp(join(tmpdir(), 'padded-'))
  const vocabularySize = 1_300
  await mkdir(join(modelDir, MODEL), { recursive: true })
  const config = { vocab_size: vocabularySize, eos_token_id: rig.engine.facts?.eosTokenIds }
  await writeFile(join(modelDir, MODEL, 'config.json'), JSON.stringify(config))
  const engine = connectEngine({
    model: MODEL,
    urls: [rig.reference.url],
    hubUrl: rig.reference.url,
    modelDir,
    cacheDir: modelDir,
    clock: systemClock,
    log: pino({ enabled: false }),
  })
  await engine.whenReady(AbortSignal.timeout(10_000))
  const close = async () => {
    await engine.close()
    await rm(modelDir, { recursive: true, force: true })
  }
  return { engine, vocabularySize, close }
}
