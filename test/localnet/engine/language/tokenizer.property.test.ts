import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  loadTokenizer,
  SPECIAL_TOKENS,
  TokenTextStream,
} from '../../../../src/localnet/engine/language/index.js'

const tokenizer = loadTokenizer()
const text = fc.string({ unit: 'grapheme', maxLength: 80 })

describe('Tokenizer', () => {
  it('decodes every encoded text to the same text', () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: 'binary' })), (sample) => {
        const ids = tokenizer.encode(sample)
        expect(tokenizer.decode(ids)).toBe(sample)
        for (const id of ids) expect(id).toBeLessThan(tokenizer.size)
      }),
    )
  })

  it('streams the same text token by token without splitting a character', () => {
    fc.assert(
      fc.property(text, (sample) => {
        const stream = new TokenTextStream(tokenizer, true)
        const pieces = tokenizer.encode(sample).map((id) => stream.push(id))
        expect(pieces.join('')).toBe(sample.replaceAll(/<\|\w+\|>/g, ''))
        for (const piece of pieces) expect(piece.includes('\ufffd') && !sample.includes('\ufffd')).toBe(false)
      }),
    )
  })

  it('splits an unknown character over several tokens', () => {
    const ids = tokenizer.encode('🦔')
    expect(ids.length).toBeGreaterThan(1)
    const stream = new TokenTextStream(tokenizer, true)
    expect(ids.map((id) => stream.push(id))).toEqual([...ids.slice(1).map(() => ''), '🦔'])
    expect(tokenizer.textOf(ids[0]!)).toBe('\ufffd')
  })

  it('encodes each control token in the text as one id', () => {
    for (const token of SPECIAL_TOKENS) {
      expect(tokenizer.encode(token)).toEqual([tokenizer.special(token)])
      expect(tokenizer.decode([tokenizer.special(token)])).toBe(token)
      expect(tokenizer.decode([tokenizer.special(token)], { skipSpecial: true })).toBe('')
    }
  })

  it('encodes English in fewer than half as many tokens as bytes', () => {
    const sample = 'The old bridge has to take seven steps to cross the river.'
    expect(tokenizer.encode(sample).length).toBeLessThan(sample.length / 2)
  })

  it('prepends the beginning-of-text token on request', () => {
    const bos = tokenizer.special('<|begin_of_text|>')
    expect(tokenizer.encode('Hi', { bos: true })).toEqual([bos, ...tokenizer.encode('Hi')])
  })
})
