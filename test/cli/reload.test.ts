import { EventEmitter } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { watchReload } from '../../src/cli/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { temporaryFolder } from '../support/temporary-folder.js'

describe('watchReload', () => {
  const stopping: AbortController[] = []
  afterEach(() => {
    for (const one of stopping.splice(0)) one.abort()
  })

  function watch(resolve: () => Promise<string>) {
    const folder = temporaryFolder('reload')
    const files = [join(folder, '.env'), join(folder, 'targon.config.json')]
    const stop = new AbortController()
    stopping.push(stop)
    const events = new EventEmitter()
    const logs: string[] = []
    const log = pino({ base: null }, { write: (line) => void logs.push(JSON.parse(line).event) })
    const reloads = watchReload({ resolve, files, clock: systemClock, log, signal: stop.signal, events })
    return { folder, files, stop, events, logs, reloads }
  }

  it('reloads on SIGHUP, including one received before the first read', async () => {
    let read = 0
    const { events, reloads } = watch(async () => `settings ${++read}`)
    events.emit('SIGHUP')
    expect((await reloads.next()).value).toBe('settings 1')
    const next = reloads.next()
    events.emit('SIGHUP')
    expect((await next).value).toBe('settings 2')
  })

  it('reloads once for a burst of writes, and for a created or replaced file', async () => {
    let read = 0
    const { folder, files, reloads } = watch(async () => `settings ${++read}`)
    const first = reloads.next()
    for (let write = 0; write < 20; write++) writeFileSync(files[1] ?? '', `{"write":${write}}`)
    expect((await first).value).toBe('settings 1')
    const second = reloads.next()
    writeFileSync(join(folder, 'replacement'), 'A=1')
    renameSync(join(folder, 'replacement'), files[0] ?? '')
    expect((await second).value).toBe('settings 2')
  })

  it('ignores other files of the folder', async () => {
    let read = 0
    const { folder, events, reloads } = watch(async () => `settings ${++read}`)
    const next = reloads.next()
    writeFileSync(join(folder, 'unrelated'), 'x')
    events.emit('SIGHUP')
    expect((await next).value).toBe('settings 1')
    expect(read).toBe(1)
  })

  it('continues after invalid settings and ends with the signal', async () => {
    let isBroken = true
    const { events, logs, stop, reloads } = watch(async () => {
      if (isBroken) throw new Error('half a file')
      return 'good'
    })
    const next = reloads.next()
    events.emit('SIGHUP')
    await expect.poll(() => logs).toContain('settings-reload-failed')
    isBroken = false
    events.emit('SIGHUP')
    expect((await next).value).toBe('good')
    const end = reloads.next()
    stop.abort()
    expect((await end).done).toBe(true)
  })
})
