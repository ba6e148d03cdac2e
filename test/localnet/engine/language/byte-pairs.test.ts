import { describe, expect, it } from 'vitest'
import {
  learnMerges,
  mergePair,
  splitPretokens,
} from '../../../../src/localnet/engine/language/byte-pairs.js'

const [a = 0, b = 0, c = 0] = Buffer.from('abc')

describe('byte pairs', () => {
  it('splits words, numbers of up to three digits, punctuation and line breaks', () => {
    expect(splitPretokens('The 2026 rivers, said I.\n\nGrüße')).toEqual([
      'The',
      ' 202',
      '6',
      ' rivers',
      ',',
      ' said',
      ' I',
      '.',
      '\n\n',
      'Grüße',
    ])
  })

  it('replaces pairs from left to right without overlap', () => {
    expect(mergePair([a, a, a, b], a, a, 300)).toEqual([300, a, b])
  })

  it('learns the most frequent pair first and builds later merges on it', () => {
    expect(learnMerges('abc\nabc\nabc\nab', 2)).toEqual([
      { left: a, right: b },
      { left: 256, right: c },
    ])
  })

  it('stops when no pair occurs twice', () => {
    expect(learnMerges('ab cd', 10)).toEqual([])
  })

  it('resolves ties to the smaller pair', () => {
    expect(learnMerges('bc\nbc\nab\nab', 1)).toEqual([{ left: a, right: b }])
  })
})
