import { parse } from 'dotenv'
import { describe, expect, it } from 'vitest'
import { parseEnvFile } from '../../src/config/env-file.js'
import { resolveSettings } from '../../src/config/index.js'

const read = (text: string) => {
  const { values, warnings, originOf } = parseEnvFile({ path: '.env', text })
  return { values: Object.fromEntries(values), warnings, originOf }
}

describe('parseEnvFile', () => {
  it.each([
    ['A=pass#word', 'pass#word'],
    ['A=#word', '#word'],
    ['A=pass#word # comment', 'pass#word'],
    ['A= # comment', ''],
    ['A=pass\t# comment', 'pass'],
    ['A="pass # word" # comment', 'pass # word'],
    ['A=redis://:p#w@host', 'redis://:p#w@host'],
  ])('cuts a comment only after a space, as docker-compose does: %s', (text, value) => {
    expect(read(text)).toMatchObject({ values: { A: value }, warnings: [] })
  })

  it('reads everything else as the library does', () => {
    const text = [
      ...[
        '# comment',
        '',
        '  export A=1',
        'B = two words  ',
        'C: 3',
        "D='x \\' # y'",
        'E="a\\nb"',
        'F=`"q"`',
      ],
      ...['G="two', 'lines=5"', 'H=', "I=it's", 'J.k-l=a=b', 'K=""', "L='x' # c", 'A=2', '\tM="a\\"b"'],
    ].join('\n')
    expect(read(text).values).toEqual({ ...parse(text) })
    expect(read(text.replaceAll('\n', '\r\n')).values).toEqual({ ...parse(text) })
    expect(read(text).warnings).toEqual([])
  })

  it('names the line of the last assignment, past quoted lines', () => {
    const { originOf } = read('A=1\nB="x\nA=y"\n\nA=3\nC=4')
    expect(originOf('A')).toEqual({ kind: 'env-file', file: '.env', name: 'A', line: 5 })
    expect(originOf('C')).toMatchObject({ line: 6 })
  })

  it('tells of lines that set nothing, without their text', () => {
    const { values, warnings } = read('A=1\nhidden-word\nset -a\n=5\nB="open\nC=2')
    expect(values).toEqual({ A: '1', B: '"open', C: '2' })
    expect(warnings).toEqual([
      'Line 2 of .env is ignored: it is not NAME=value.',
      'Line 3 of .env is ignored: it is not NAME=value.',
      'Line 4 of .env is ignored: it is not NAME=value.',
      'Line 5 of .env starts the value of B with a quote that it does not close; the quote is part of the value.',
    ])
    expect(warnings.join()).not.toContain('hidden-word')
  })

  it('hands its warnings to the resolved settings', () => {
    const dotenvFiles = [{ path: '.env', text: 'nothing\n' }]
    expect(resolveSettings('miner', { flags: {}, env: {}, dotenvFiles }).warnings).toEqual([
      'Line 1 of .env is ignored: it is not NAME=value.',
    ])
  })
})
