import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { readPrompt } from '../../src/cli/index.js'

function inputOf(text: string, isTTY = false) {
  return Object.assign(Readable.from([Buffer.from(text)]), { isTTY })
}

describe('readPrompt', () => {
  it('prefers the argument to standard input', async () => {
    expect(await readPrompt('Why?', inputOf('ignored'))).toBe('Why?')
  })

  it.each([undefined, '-'])(
    'reads standard input for the argument %j, without the last line feed',
    async (argument) => {
      expect(await readPrompt(argument, inputOf('Why?\nHow?\n'))).toBe('Why?\nHow?')
    },
  )

  it.each([
    ['an empty argument', ' ', inputOf('')],
    ['empty input', undefined, inputOf('\n')],
    ['a terminal', undefined, inputOf('', true)],
  ])('refuses %s', async (_, argument, input) => {
    await expect(readPrompt(argument, input)).rejects.toMatchObject({
      code: 'PROMPT_MISSING',
      fault: 'usage',
    })
  })

  it('refuses more than 1 MiB', async () => {
    const input = inputOf('x'.repeat((1 << 20) + 1))
    await expect(readPrompt(undefined, input)).rejects.toMatchObject({ code: 'PROMPT_TOO_LONG' })
  })
})
