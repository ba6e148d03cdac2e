import { once } from 'node:events'
import { connect } from 'node:net'
import { DrizzleQueryError } from 'drizzle-orm'
import { APIConnectionError } from 'openai'
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
  test('names each address of a host that could not be reached', async () => {
    const addresses = [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]
    const socket = connect({
      ...{ host: 'node.example', port: 1, autoSelectFamily: true },
      lookup: (_host, _options, callback) => callback(null, addresses),
    })
    const [error] = await once(socket, 'error').catch((thrown: unknown) => [thrown])
    expect(error).toBeInstanceOf(AggregateError)
    expect(error.message).toBe('')
    expect(messageOf(error)).toMatch(/^connect E\w+ 127\.0\.0\.1:1\b.*; connect E\w+ ::1:1\b/)
  })

  test.each([
    [new AggregateError([new Error('a'), new Error('a'), 'b']), 'a; b'],
    [new AggregateError([new AggregateError([new Error('a')])]), 'a'],
    [new AggregateError([], ''), 'AggregateError'],
    [new AggregateError([new Error('a')], 'both failed'), 'both failed'],
    [new Error('', { cause: new AggregateError([new Error('a')]) }), 'a'],
    [Object.assign(new Error(''), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new TypeError(''), 'TypeError'],
    ['', 'no reason given'],
  ])('of an error without a message: %#', (thrown, message) => {
    expect(messageOf(thrown)).toBe(message)
  })

  const refused = new AggregateError([new Error('connect ECONNREFUSED')], '')
  test.each([
    new DrizzleQueryError('select "secret"', ['value'], new Error('connect ECONNREFUSED')),
    new TypeError('fetch failed', { cause: refused }),
    new APIConnectionError({ cause: new TypeError('fetch failed', { cause: refused }) }),
  ])('is the reason that a wrapping error leaves to its cause: %#', (thrown) => {
    expect(messageOf(thrown)).toBe('connect ECONNREFUSED')
  })

  test('keeps what a wrapping error says without a cause, and what other errors add to theirs', () => {
    expect(messageOf(new TypeError('fetch failed'))).toBe('fetch failed')
    expect(messageOf(new Error('The report failed.', { cause: new Error('why') }))).toBe('The report failed.')
  })

  test('ends for errors that contain themselves', () => {
    const knot = new AggregateError([])
    knot.errors.push(knot)
    expect(messageOf(knot)).toBe('AggregateError')
    const loop = new Error('')
    loop.cause = loop
    expect(messageOf(loop)).toBe('Error')
    const wrapper = new TypeError('fetch failed')
    wrapper.cause = wrapper
    expect(messageOf(wrapper)).toBe('fetch failed')
  })

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
