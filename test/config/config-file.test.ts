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

  it('accepts the schema that an editor reads', () => {
    expect(parse('{"$schema": "./targon.config.schema.json", "netuid": 7}').values).toEqual({ netuid: 7 })
  })

  it('quotes nothing of a file that is not JSON, since it may contain keys', () => {
    expect(() => parse('{"api-key": s3cret}')).toThrow(
      expect.objectContaining({ message: "Config file c.json is not valid JSON: Unexpected token 's'." }),
    )
  })

  it('refuses an endlessly nested key, and shows its beginning', () => {
    const text = `${'{"axon":'.repeat(50_000)}1${'}'.repeat(50_000)}`
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'CONFIG_UNKNOWN_KEY' }))
    expect(() => parse(`{"${'x'.repeat(100_000)}": 1}`)).toThrow(
      expect.objectContaining({ message: `Unknown key "${'x'.repeat(100)}" in c.json:1.` }),
    )
  })

  it.each(['[1]', '{', '"text"', 'null'])('refuses a file that does not contain an object: %s', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'CONFIG_FILE_SYNTAX', fault: 'usage' }))
  })
})

describe('parseConfigFile of YAML', () => {
  function parseYaml(text: string) {
    const { values, originOf } = parseConfigFile({ path: 'c.yaml', text })
    return { values: Object.fromEntries(values), originOf }
  }

  it('reads flat and nested keys, lists and objects, and the line of each', () => {
    const text = [
      '$schema: docs/targon.config.schema.json',
      '# a comment',
      'netuid: 7',
      'axon:',
      '  port: 1',
      'model-endpoint: [http://a/v1, http://b/v1]',
      'round.max-tokens: { min: 96, max: 192 }',
      'routing: { gap-timeout: 30s }',
    ].join('\n')
    const { values, originOf } = parseYaml(text)
    expect(values).toEqual({
      netuid: 7,
      'axon.port': 1,
      'model-endpoint': ['http://a/v1', 'http://b/v1'],
      'round.max-tokens': { min: 96, max: 192 },
      'routing.gap-timeout': '30s',
    })
    expect(originOf('axon.port')).toEqual({ kind: 'config-file', file: 'c.yaml', line: 5, key: 'axon.port' })
    expect(originOf('routing.gap-timeout')).toMatchObject({ line: 8 })
  })

  it('leaves unset what has no value, in a file of comments too', () => {
    expect(parseYaml('axon:\n  # port: 1\nnetuid:\n').values).toEqual({})
    expect(parseYaml('# netuid: 4\n').values).toEqual({})
    expect(() => parseYaml('axno:\n')).toThrow(expect.objectContaining({ code: 'CONFIG_UNKNOWN_KEY' }))
  })

  it('names file, line and closest key for an unknown key', () => {
    expect(() => parseYaml('netuid: 4\naxon:\n  prot: 1\n')).toThrow(
      expect.objectContaining({
        code: 'CONFIG_UNKNOWN_KEY',
        message: 'Unknown key "axon.prot" in c.yaml:3.',
        next: 'Did you mean "axon.port"?',
      }),
    )
  })

  it.each([
    ['a list', '- 1', 'c.yaml is not valid YAML: it must contain one mapping'],
    ['a repeated key', 'netuid: 1\nnetuid: 2', 'c.yaml:2 is not valid YAML: Map keys must be unique'],
    ['a second document', 'netuid: 1\n---\nnetuid: 2', 'c.yaml:2 is not valid YAML'],
    ['an unknown tag', 'netuid: 1\nwallet.name: !env NAME', 'c.yaml:2 is not valid YAML: Unresolved tag'],
    ['a key that is no text', '? [1]\n: 2', 'c.yaml:1 is not valid YAML'],
    ['wrong indentation', 'axon:\n  port: 1\n ip: x', 'c.yaml:3 is not valid YAML'],
    ['brackets without end', '['.repeat(100_000), 'nests deeper than settings do'],
    ['dashes without end', '- '.repeat(100_000), 'nests deeper than settings do'],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseYaml(text)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_FILE_SYNTAX',
        fault: 'usage',
        message: expect.stringContaining(message),
      }),
    )
  })

  it('refuses aliases that multiply', () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const items = level === 0 ? '"x"' : `*a${level - 1}`
      return `k${level}: &a${level} [${Array.from({ length: 9 }, () => items).join(', ')}]`
    })
    expect(() => parseYaml(levels.join('\n'))).toThrow(
      expect.objectContaining({ code: 'CONFIG_FILE_SYNTAX', message: expect.stringContaining('alias') }),
    )
  })
})
