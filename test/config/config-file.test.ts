import { describe, expect, it } from 'vitest'
import { parseConfigFile } from '../../src/config/config-file.js'

function parse(text: string) {
  const { values, originOf } = parseConfigFile({ path: 'c.json', text })
  return { values: Object.fromEntries(values), originOf }
}

describe('parseConfigFile', () => {
  it.each([
    ['flat', '{\n"netuid": 7,\n"axon.port": 1}'],
    ['nested', '{\n"netuid": 7, "axon": {\n"port": 1}}'],
  ])('reads %s keys and the line of each', (_, text) => {
    const { values, originOf } = parse(text)
    expect(values).toEqual({ netuid: 7, 'axon.port': 1 })
    expect(originOf('axon.port')).toEqual({ kind: 'config-file', file: 'c.json', line: 3, key: 'axon.port' })
  })

  it('keeps an object that is itself a value', () => {
    const text = '{"round": {"max-tokens": {"min": 96, "max": 192}}}'
    expect(parse(text).values).toEqual({ 'round.max-tokens': { min: 96, max: 192 } })
  })

  it('names the file, line and closest key for an unknown key', () => {
    expect(() => parse('{\n  "netuid": 4,\n  "axon": { "prot": 1 }\n}')).toThrow(
      expect.objectContaining({
        code: 'CONFIG_UNKNOWN_KEY',
        fault: 'usage',
        message: 'Unknown key "axon.prot" in c.json:3.',
        next: 'Did you mean "axon.port"?',
      }),
    )
  })

  it.each(['[1]', '{', '"text"', 'null'])('refuses a file that does not contain an object: %s', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'CONFIG_FILE_SYNTAX', fault: 'usage' }))
  })
})
