import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Answer, InferenceRequest } from '../../src/inference/index.js'
import { type StreamServer, startStreamServer } from '../support/stream-server.js'
import { requestOf, startVerificationRig, type VerificationRig } from '../support/verification-rig.js'

let rig: VerificationRig
let miner: StreamServer
let body: Uint8Array = new Uint8Array()
let request: InferenceRequest
let honest: Answer

beforeAll(async () => {
  rig = await startVerificationRig()
  miner = await startStreamServer((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(body)
  })
  request = await requestOf('no escape', { temperature: 0.7, endpoint: 'completion', maxTokens: 12 })
  honest = await rig.ask((await rig.startMiner()).url, request)
}, 60_000)
afterAll(async () => {
  await rig.close()
  await miner.close()
})

const limits = { firstTokenMs: 2_000, gapMs: 2_000, totalMs: 5_000 }
const judge = async (answer?: Answer) =>
  rig.verify(request, answer ?? (await rig.ask(miner.url, request, { limits })))

const anyId = fc.oneof(
  fc.nat(1300),
  fc.integer(),
  fc.double(),
  fc.constantFrom(2 ** 31, 2 ** 53, 2 ** 63, -1, 1261, 1262),
)
const anyLogprob = fc.oneof(
  fc.double(),
  fc.double({ min: -12, max: 0 }),
  fc.constantFrom(0, -100, 1000, -9999),
)
const anyText = fc.oneof(fc.string(), fc.constantFrom('', '\ud800', '\u0000', '<|eot_id|>'))

/** The honest answer's tokens with some of them changed, doubled or left out. */
const bentTokens = fc.array(
  fc.record({
    index: fc.nat(11),
    id: fc.option(anyId, { nil: undefined }),
    logprob: fc.option(anyLogprob, { nil: undefined }),
    text: fc.option(anyText, { nil: undefined }),
  }),
  { maxLength: 16 },
)

describe('under strict nothing a miner sends is inconclusive', () => {
  it('whatever bytes the stream holds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 400 }),
          fc
            .array(fc.oneof(fc.json(), fc.string(), fc.constant('[DONE]')), { maxLength: 8 })
            .map((events) => Buffer.from(events.map((event) => `data: ${event}\n\n`).join(''))),
        ),
        async (bytes) => {
          body = bytes
          expect((await judge()).kind).not.toBe('inconclusive')
        },
      ),
      { numRuns: 40 },
    )
  })

  it('whatever its tokens claim', async () => {
    await fc.assert(
      fc.asyncProperty(bentTokens, fc.constantFrom('stop', 'length', 'x'), async (bent, finish) => {
        const events = bent.map(({ index, id, logprob, text }) => {
          const token = honest.tokens[index]
          return {
            choices: [
              {
                index: 0,
                text: text ?? token?.text ?? '',
                logprobs: {
                  tokens: [`token_id:${id ?? token?.tokenId}`],
                  token_logprobs: [logprob ?? token?.logprob],
                },
                finish_reason: null,
              },
            ],
          }
        })
        const last = { choices: [{ index: 0, text: '', logprobs: null, finish_reason: finish }] }
        const lines = [...events.map((event) => JSON.stringify(event)), JSON.stringify(last), '[DONE]']
        body = Buffer.from(lines.map((line) => `data: ${line}\n\n`).join(''))
        expect((await judge()).kind).not.toBe('inconclusive')
      }),
      { numRuns: 60 },
    )
  })

  it('whatever ids of the vocabulary it picks, those its tokenizer does not know included', async () => {
    const facts = rig.engine.facts
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat((facts?.vocabularySize ?? 1) - 1), { minLength: 3, maxLength: 12 }),
        async (ids) => {
          const tokens = ids.map((tokenId) => ({ tokenId, text: 'x', logprob: -1 }))
          expect((await judge({ ...honest, tokens })).kind).toBe('failed')
        },
      ),
      { numRuns: 30 },
    )
  })
})
