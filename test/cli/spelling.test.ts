import { describe, expect, it } from 'vitest'
import { respell } from '../../src/cli/spelling.js'

describe('respell', () => {
  it('leaves current spellings, unknown flags and everything after -- unchanged', () => {
    const argv = ['--netuid', '4', '--no-such-flag=1', '--logging.debug', '--', '--api_key', 'x']
    expect(respell(argv, 'miner', true)).toEqual({ argv, switches: {}, warnings: [] })
  })

  it('replaces a deprecated spelling and warns', () => {
    expect(respell(['--api_key=abc'], 'miner', true)).toEqual({
      argv: ['--api-key=abc'],
      switches: {},
      warnings: ['--api_key is deprecated; use --api-key.'],
    })
  })

  it.each([
    [['--force_validator.permit'], 'false'],
    [['--force_validator.permit', 'False'], 'true'],
    [['--force_validator.permit=yes'], 'false'],
    [['--force_validator.permit=maybe'], 'maybe'],
    [['--no-force-validator-permit', 'FALSE'], 'FALSE'],
  ])('reads the word of a switch and inverts it for an opposite spelling: %j', (argv, value) => {
    const { argv: words, switches } = respell(argv, 'miner', true)
    expect({ words, switches }).toEqual({ words: [], switches: { 'no-force-validator-permit': value } })
  })

  it('leaves a word after a switch to commands that take arguments', () => {
    expect(respell(['--verify', 'true'], 'query', false).argv).toEqual(['--verify', 'true'])
  })

  it.each([
    ['miner', 'epoch-length', '360'],
    ['validator', 'axon.port', '8091'],
    ['validator', 'axon.ip', '0.0.0.0'],
    ['validator', 'axon.external_ip', '203.0.113.5'],
    ['validator', 'axon.external_port', '8091'],
    ['validator', 'axon.max_workers', 'many'],
  ] as const)(
    'accepts on a %s --%s %s, which all neurons of 4.x shared, and warns once',
    (role, name, value) => {
      expect(respell([`--${name}`, value, '--netuid', '4', `--${name}=${value}`], role, true)).toEqual({
        argv: ['--netuid', '4'],
        switches: {},
        warnings: [`--${name} has no effect on a ${role}; it is accepted because 4.x shared it.`],
      })
    },
  )

  it.each([[['--epoch-length']], [['--wallet.name']], [['--wallet.name', '--netuid', '4']]])(
    'refuses a missing value: %j',
    (argv) => {
      expect(() => respell(argv, 'miner', true)).toThrow(
        expect.objectContaining({
          code: 'FLAG_WITHOUT_VALUE',
          message: expect.stringMatching(/^Flag --[a-z.-]+ needs a value.$/),
        }),
      )
    },
  )
})
