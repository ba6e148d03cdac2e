import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { watchShutdown } from '../../src/cli/shutdown.js'
import { ManualClock } from '../support/manual-clock.js'

class FakeProcess extends EventEmitter {
  exits: number[] = []
  exit(status: number): never {
    this.exits.push(status)
    return undefined as never
  }
}

function watch(stdin?: PassThrough) {
  const events = new FakeProcess()
  const fatals: unknown[] = []
  const clock = new ManualClock()
  const shutdown = watchShutdown({ events, stdin, clock, onFatal: (error) => fatals.push(error) })
  return { events, fatals, shutdown, clock }
}

describe('watchShutdown', () => {
  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ])('the first %s drains, the second exits with %i', async (name, status) => {
    const { events, shutdown, clock } = watch()
    events.emit(name)
    expect(shutdown.signal.aborted).toBe(true)
    expect(events.exits).toEqual([])
    await clock.advance(600)
    events.emit(name)
    expect(events.exits).toEqual([status])
  })

  it.each([
    ['SIGINT', 'SIGINT'],
    ['SIGINT', 'SIGTERM'],
    ['SIGTERM', 'SIGTERM'],
  ])('takes %s by the terminal and %s by the launcher for one wish', async (first, second) => {
    const { events, shutdown, clock } = watch()
    events.emit(first)
    await clock.advance(400)
    events.emit(second)
    expect(events.exits).toEqual([])
    expect(shutdown.signal.aborted).toBe(true)
  })

  it('drains when standard input closes', async () => {
    const stdin = new PassThrough()
    const { shutdown } = watch(stdin)
    stdin.end()
    await new Promise((resolve) => shutdown.signal.addEventListener('abort', resolve))
    expect(shutdown.signal.reason).toMatchObject({ name: 'AbortError' })
  })

  it('does not exit on a signal that comes after the end of standard input started the drain, but on one more', async () => {
    const stdin = new PassThrough()
    const { events, shutdown, clock } = watch(stdin)
    stdin.end()
    await new Promise((resolve) => shutdown.signal.addEventListener('abort', resolve))
    events.emit('SIGTERM')
    expect(events.exits).toEqual([])
    await clock.advance(600)
    events.emit('SIGTERM')
    expect(events.exits).toEqual([143])
  })

  it.each(['uncaughtException', 'unhandledRejection'])('%s is fatal and drains', (event) => {
    const { events, fatals, shutdown } = watch()
    const error = new Error('lost')
    events.emit(event, error)
    expect(fatals).toEqual([error])
    expect(shutdown.signal.aborted).toBe(true)
  })

  it('leaves no listener behind', () => {
    const stdin = new PassThrough()
    const { events, shutdown } = watch(stdin)
    shutdown.release()
    expect(events.eventNames()).toEqual([])
    expect(stdin.listenerCount('end') + stdin.listenerCount('close')).toBeLessThanOrEqual(1)
  })
})
