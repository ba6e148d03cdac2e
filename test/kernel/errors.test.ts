import { describe, expect, test } from 'vitest'
import { DeadlineError, isAbort, messageOf, TargonError } from '../../src/kernel/errors.js'

describe('TargonError', () => {
  test('serialises code, fault, next and facts to JSON', () => {
    const error = new TargonError('The port is taken.', {
      code: 'PORT_IN_USE',
      fault: 'usage',
      next: 'Choose another.',
      facts: { port: 8091 },
    })
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({
      code: 'PORT_IN_USE',
      fault: 'usage',
      next: 'Choose another.',
      facts: { port: 8091 },
    })
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe('TargonError')
  })

  test('keeps its cause', () => {
    const cause = new Error('EADDRINUSE')
    expect(new TargonError('x', { code: 'X', fault: 'runtime' }, { cause }).cause).toBe(cause)
  })
})

describe('isAbort', () => {
  test('recognises aborts but not deadlines', () => {
    const stopping = new AbortController()
    stopping.abort()
    expect(isAbort(stopping.signal.reason)).toBe(true)
    expect(isAbort(new DeadlineError('x', 1))).toBe(false)
    expect(isAbort('AbortError')).toBe(false)
  })
})

describe('messageOf', () => {
  test.each([
    [new Error('a'), 'a'],
    ['b', 'b'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{ a: 1 }, '[object Object]'],
  ])('%s', (thrown, message) => {
    expect(messageOf(thrown)).toBe(message)
  })
})
