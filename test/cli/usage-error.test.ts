import { Errors } from '@oclif/core'
import { describe, expect, it } from 'vitest'
import { usageError } from '../../src/cli/usage-error.js'

describe('usageError', () => {
  it.each([
    ['Unexpected argument: stray\nSee more help with --help', 'Unexpected argument stray.'],
    [
      'Parsing --hours \n\tExpected an integer but received: x\nSee more help with --help',
      '--hours must be a whole number, got "x".',
    ],
    [
      'The following error occurred:\n  --all=true cannot also be provided when using --list\nSee more help with --help',
      '--all cannot also be provided when using --list.',
    ],
  ])('turns the text of oclif into one sentence: %j', (text, message) => {
    expect(usageError(new Errors.CLIError(text), [])).toMatchObject({
      code: 'USAGE',
      fault: 'usage',
      message,
      next: 'See --help.',
    })
  })

  it('returns other errors unchanged', () => {
    const error = new RangeError('oops')
    expect(usageError(error, [])).toBe(error)
  })
})
