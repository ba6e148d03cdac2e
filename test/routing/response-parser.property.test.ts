import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ResponseParser } from '../../src/routing/response-parser.js'
import { findDisagreement } from '../support/answer-verdicts.js'
import { readWithLlhttp } from '../support/llhttp.js'
import { mutatedAnswer } from '../support/mutated-answers.js'

/** `npm run gauntlet` compares a hundred thousand. */
const ANSWERS = 3000

const disagreementOn = (...parts: string[]) =>
  findDisagreement({
    wire: Buffer.from(parts.join(''), 'latin1'),
    parts: parts.map((part) => Buffer.from(part, 'latin1')),
  })

const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'

describe('response parser', () => {
  it('reads mutated answers, cut at any byte, as llhttp reads them', () => {
    fc.assert(
      fc.property(mutatedAnswer, (answer) => {
        expect(findDisagreement(answer), JSON.stringify(answer.wire.toString('latin1'))).toBeUndefined()
      }),
      { numRuns: ANSWERS },
    )
  })

  it.each([
    [
      'a length followed by a byte that only JavaScript trims',
      'HTTP/1.1 200 OK\r\ncontent-length: 2\xa0\r\n\r\nok',
    ],
    ['a length followed by a tab', 'HTTP/1.1 200 OK\r\ncontent-length: 2\t\r\n\r\nok'],
    [
      'a transfer coding followed by a blank',
      `${CHUNKED.replace('chunked', 'chunked ')}2\r\nok\r\n0\r\n\r\n`,
    ],
    ['a switch to another protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'],
    [
      'an interim answer that closes',
      'HTTP/1.1 102 Processing\r\nconnection: close\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
    ],
    ['a trailer without a colon', `${CHUNKED}0\r\nno colon\r\n\r\n`],
    ['a trailer that ends with a line feed alone', `${CHUNKED}0\r\nx: 1\n\r\n`],
    ['a trailer with NUL', `${CHUNKED}0\r\nx: a\0b\r\n\r\n`],
    ['a length in a trailer', `${CHUNKED}0\r\ncontent-length: 3\r\n\r\n`],
    ['a blank after a chunk size', `${CHUNKED}2 \r\nok\r\n0\r\n\r\n`],
    ['a chunk extension with NUL', `${CHUNKED}2;\0\r\nok\r\n0\r\n\r\n`],
    ['a chunk extension with a line feed', `${CHUNKED}2;a\n\r\nok\r\n0\r\n\r\n`],
    ['an empty chunk extension', `${CHUNKED}2;\r\nok\r\n0\r\n\r\n`],
  ])('refuses %s', (_, wire) => {
    const parser = new ResponseParser({ onHead: () => {}, onBytes: () => {} })
    expect(() => parser.receive(Buffer.from(wire, 'latin1'))).toThrow(/^malformed/)
    expect(disagreementOn(wire)).toBeUndefined()
  })

  it.each([
    'connection: keep-alive, close\r\n',
    'connection: close\r\nconnection: keep-alive\r\n',
    'connection: close\r\nconnection: x-keep-alive\r\n',
  ])('keeps no connection after %j', (lines) => {
    const parser = new ResponseParser({ onHead: () => {}, onBytes: () => {} })
    parser.receive(Buffer.from(`HTTP/1.1 200 OK\r\n${lines}content-length: 0\r\n\r\n`))
    expect(parser.isReusable).toBe(false)
  })

  it('refuses the same long head however it is cut', () => {
    const line = `x: ${'y'.repeat(8000)}\r\n`
    for (const parts of [
      [`HTTP/1.1 200 OK\r\n${line}`, `${line}${line}\r\n`],
      [`HTTP/1.1 200 OK\r\n${line}${line}${line}\r\n`],
    ])
      expect(disagreementOn(...parts, 'body')).toBeUndefined()
  })

  it('refuses a head of blanks in time that grows with its length, not with the square of it', () => {
    const msFor = (blanks: number) => {
      const wire = Buffer.from(`HTTP/1.1 200 OK\r\nx:${' '.repeat(blanks)}\0\r\n\r\n`)
      const startedAt = performance.now()
      const parser = new ResponseParser({ onHead: () => {}, onBytes: () => {} })
      expect(() => parser.receive(wire)).toThrow('malformed')
      return performance.now() - startedAt
    }
    msFor(1000)
    expect(Math.min(...Array.from({ length: 5 }, () => msFor(16_000)))).toBeLessThan(20)
  })

  it('is compared with a parser that tells answers from errors', () => {
    expect(readWithLlhttp(Buffer.from(`${CHUNKED}2\r\nok\r\n0\r\n\r\n`))).toMatchObject({
      status: 200,
      body: 'ok',
      isReusable: true,
    })
    expect(readWithLlhttp(Buffer.from(`${CHUNKED}2\r\nok`))).toMatchObject({ kind: 'error' })
    expect(readWithLlhttp(Buffer.from('nonsense'))).toMatchObject({ kind: 'error' })
  })
})
