import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAnswerReader } from '../../src/inference/answer-reader.js'
import { EventStream, EventStreamError } from '../../src/inference/event-stream.js'
import { chatChunk, DONE, event } from '../support/stream-server.js'

const limits = { lineBytes: 65_536, streamBytes: 4 << 20, events: 1000 }

function readAll(pieces: readonly Buffer[], own = limits): string[] {
  const stream = new EventStream(own)
  return pieces.flatMap((piece) => [...stream.push(piece)].filter((data) => data !== undefined))
}

/** Splits at these positions, in any order. */
function cut(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const sorted = [...new Set(positions.map((position) => position % (bytes.length + 1)))].sort(
    (a, b) => a - b,
  )
  return [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index] ?? bytes.length))
}

const sample = Buffer.from(
  [
    event({ choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] }),
    ': a comment\n',
    event(chatChunk('Grüße ', 1)),
    event(chatChunk('👋🏽', 2)).replaceAll('\n', '\r\n'),
    'event: message\nid: 7\n',
    event(chatChunk('', 3, -0.1, 'stop')),
    event({ choices: [], usage: { total_tokens: 3 } }),
    DONE,
  ].join(''),
)

describe('EventStream', () => {
  test('reads the same tokens when split at any byte', () => {
    const whole = readTokens(readAll([sample]))
    expect(whole).toEqual([
      { text: 'Grüße ', tokenId: 1, logprob: -0.5 },
      { text: '👋🏽', tokenId: 2, logprob: -0.5 },
      { text: '', tokenId: 3, logprob: -0.1 },
    ])
    for (let at = 0; at <= sample.length; at++) {
      expect(readTokens(readAll(cut(sample, [at])))).toEqual(whole)
    }
  })

  test('reads the same events from single bytes', () => {
    const bytes = [...sample].map((byte) => Buffer.of(byte))
    expect(readAll(bytes)).toEqual(readAll([sample]))
  })

  test('reads any data lines when split anywhere', () => {
    const line = fc.string({ unit: 'binary', maxLength: 60 }).map((text) => text.replaceAll(/[\r\n]/g, ' '))
    const events = fc.array(fc.array(line, { minLength: 1, maxLength: 3 }), { maxLength: 8 })
    const lineEnd = fc.constantFrom('\n', '\r\n', '\r')
    const mark = fc.constantFrom('', '\uFEFF')
    fc.assert(
      fc.property(
        events,
        fc.array(fc.nat(), { maxLength: 30 }),
        lineEnd,
        mark,
        (lists, positions, end, bom) => {
          const text =
            bom + lists.map((lines) => lines.map((data) => `data: ${data}${end}`).join('') + end).join('')
          const expected = lists.map((lines) => Buffer.from(lines.join('\n')).toString())
          expect(readAll(cut(Buffer.from(text), positions))).toEqual(expected)
        },
      ),
    )
  })

  test('throws only EventStreamError and keeps at most a line for any input', () => {
    const small = { lineBytes: 64, streamBytes: 2048, events: 10 }
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .constantFrom('data: x\n\n', 'data:\n', '\n', '\r\n', ':\n', 'data', 'DATA: y\n\n')
        .map((text) => Buffer.from(text)),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const stream = new EventStream(small)
        try {
          for (const bytes of pieces)
            for (const data of stream.push(Buffer.from(bytes)))
              expect(data?.length ?? 0).toBeLessThanOrEqual(64)
        } catch (error) {
          expect(error).toBeInstanceOf(EventStreamError)
        }
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    ['a line', 'data: '.padEnd(101, 'x'), /line of more than 100 bytes/],
    ['a finished line', `${'data: '.padEnd(101, 'x')}\n\n`, /line of more than 100 bytes/],
    [
      'the lines of one event',
      `data: ${'x'.repeat(60)}\ndata: ${'x'.repeat(60)}\n\n`,
      /event of more than 100 bytes/,
    ],
    ['the stream', `${'data: x\n\n'.repeat(5)}${': '.padEnd(90, 'x')}\n`.repeat(8), /more than 1000 bytes/],
    ['the number of events', 'data: x\n\n'.repeat(51), /more than 50 events/],
    ['the number of lines', '\n'.repeat(401), /more than 400 lines/],
  ])('rejects %s beyond its limit, whole or byte by byte', (_, text, message) => {
    const own = { lineBytes: 100, streamBytes: 1000, events: 50 }
    const bytes = Buffer.from(text)
    expect(() => readAll([bytes], own)).toThrow(message)
    expect(() =>
      readAll(
        [...bytes].map((byte) => Buffer.of(byte)),
        own,
      ),
    ).toThrow(message)
  })

  test('scans a piece of line feeds once, not once per line', () => {
    const own = { lineBytes: 100, streamBytes: 4 << 20, events: 1 << 20 }
    const feeds = Buffer.alloc(1 << 19, '\n')
    const started = performance.now()
    expect(readAll([feeds], own)).toEqual([])
    expect(performance.now() - started).toBeLessThan(2000)
  })

  test('accepts input exactly at its limits', () => {
    const own = { lineBytes: 100, streamBytes: 1000, events: 2 }
    expect(readAll([Buffer.from(`data: ${'x'.repeat(94)}\n\n`.repeat(2))], own)).toHaveLength(2)
  })
})

function readTokens(events: readonly string[]) {
  const reader = createAnswerReader({
    endpoint: 'chat',
    maxTokens: 10,
    tokenLimit: 74,
    rules: 'strict',
    burst: undefined,
  })
  for (const data of events) if (data !== '[DONE]') reader.accept(1, JSON.parse(data))
  return reader.finish(0, 2, undefined).tokens
}
