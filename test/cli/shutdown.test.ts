import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { runUntilStopped, watchShutdown } from '../../src/cli/shutdown.js'
import { TargonError } from '../../src/kernel/errors.js'
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
  ])('drains on the first %s and exits with %i on the second', async (name, status) => {
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
  ])('treats %s from the terminal and %s from the launcher as one signal', async (first, second) => {
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

  it('exits only on the second signal when the end of standard input started the drain', async () => {
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

  it.each(['uncaughtException', 'unhandledRejection'])('drains after %s and reports it as fatal', (event) => {
    const { events, fatals, shutdown } = watch()
    const error = new Error('lost')
    events.emit(event, error)
    expect(fatals).toEqual([error])
    expect(shutdown.signal.aborted).toBe(true)
  })

  it('removes its listeners on release', () => {
    const stdin = new PassThrough()
    const { events, shutdown } = watch(stdin)
    shutdown.release()
    expect(events.eventNames()).toEqual([])
    expect(stdin.listenerCount('end') + stdin.listenerCount('close')).toBeLessThanOrEqual(1)
  })
})

describe('runUntilStopped', () => {
  const lost = new TargonError('Lost the connection.', {
    code: 'CHAIN_CONNECTION_LOST',
    fault: 'unreachable',
  })

  it('reports the stop, not what a read fails with because of it', async () => {
    const stopped = runUntilStopped({ exitWithStdin: false }, async () => {
      process.emit('SIGINT')
      throw lost
    })
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError', message: 'stopped by SIGINT' })
  })

  it('passes on what work throws without a stop, and what it returns after one', async () => {
    await expect(runUntilStopped({ exitWithStdin: false }, () => Promise.reject(lost))).rejects.toBe(lost)
    const table = await runUntilStopped({ exitWithStdin: false }, async () => {
      process.emit('SIGINT')
      return 'final table'
    })
    expect(table).toBe('final table')
  })
})
