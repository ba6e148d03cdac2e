import { PassThrough, Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { readPrompt } from '../../src/cli/index.js'

function inputOf(text: string, isTTY = false) {
  return Object.assign(Readable.from([Buffer.from(text)]), { isTTY })
}

const going = new AbortController().signal

describe('readPrompt', () => {
  it('prefers the argument to standard input', async () => {
    expect(await readPrompt('Why?', going, inputOf('ignored'))).toBe('Why?')
  })

  it.each([undefined, '-'])(
    'reads standard input for the argument %j, without the last line feed',
    async (argument) => {
      expect(await readPrompt(argument, going, inputOf('Why?\nHow?\n'))).toBe('Why?\nHow?')
    },
  )

  it.each([
    ['an empty argument', ' ', inputOf('')],
    ['empty input', undefined, inputOf('\n')],
    ['a terminal', undefined, inputOf('', true)],
  ])('refuses %s', async (_, argument, input) => {
    await expect(readPrompt(argument, going, input)).rejects.toMatchObject({
      code: 'PROMPT_MISSING',
      fault: 'usage',
    })
  })

  it('refuses more than 1 MiB', async () => {
    const input = inputOf('x'.repeat((1 << 20) + 1))
    await expect(readPrompt(undefined, going, input)).rejects.toMatchObject({ code: 'PROMPT_TOO_LONG' })
  })

  it('ends with the signal while it waits for standard input', async () => {
    const stop = new AbortController()
    const waiting = readPrompt(undefined, stop.signal, new PassThrough())
    stop.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  })
})
