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

  it.each([[['--wallet.name']], [['--wallet.name', '--netuid', '4']]])(
    'refuses a missing value: %j',
    (argv) => {
      expect(() => respell(argv, 'miner', true)).toThrow(
        expect.objectContaining({ code: 'FLAG_WITHOUT_VALUE', message: 'Flag --wallet.name needs a value.' }),
      )
    },
  )
})
