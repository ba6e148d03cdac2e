import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type RunContext, runRole } from '../../src/cli/index.js'
import { resolveSettings } from '../../src/config/index.js'
import { createDeferred, LineWriter, systemClock, TargonError } from '../../src/kernel/index.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const hotkey = '5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM'

/** Takes every line; the tests read the log file. */
const stderr = new LineWriter({ writeNow: (bytes) => bytes.length }, { clock: systemClock })

function minerSettings(more: Record<string, string | boolean> = {}) {
  const directory = temporaryFolder('role')
  const flags = {
    'logging.logging_dir': directory,
    'logging.record_log': true,
    'wallet.name': 'w',
    'wallet.hotkey': 'h',
    'logging.level': 'warn',
    ...more,
  }
  return { directory, settings: resolveSettings('miner', { flags, env: {} }).values }
}

function run<T>(start: (context: RunContext) => Promise<{ done: Promise<T> }>, more = {}) {
  const { directory, settings } = minerSettings(more)
  const ended = runRole({ role: 'miner', settings, hotkey, warnings: [], stderr, start, ...more })
  return { directory, ended }
}

afterEach(() => {
  process.exitCode = undefined
})

describe('runRole', () => {
  it('creates a state folder only its owner can read', async () => {
    const { directory, ended } = run(async ({ stateDir }) => ({ done: Promise.resolve(stateDir) }))
    const stateDir = await ended
    expect(stateDir).toBe(join(directory, 'w', 'h', 'netuid4', 'miner'))
    expect(statSync(stateDir ?? '').mode & 0o777).toBe(0o700)
    expect(statSync(join(stateDir ?? '', 'miner.log')).mode & 0o777).toBe(0o600)
  })

  it('masks keys in sections, passwords in URLs and secrets of reloaded settings in the log', async () => {
    const { settings } = minerSettings({
      'api-key': 'canary-key',
      upstreams: JSON.stringify([
        { url: 'http://127.0.0.1:1/v1', apiKey: 'canary-upstream', models: ['org/model'] },
      ]),
      'replay.redis-url': 'redis://user:canary%2Fpassword@127.0.0.1:1',
    })
    const later = { ...settings, upstreams: [{ url: 'http://127.0.0.1:1/v1', apiKey: 'canary-later' }] }
    const { directory, ended } = run(
      async ({ log, hide }) => {
        hide(later)
        const canaries = [
          'canary-key',
          'canary-upstream',
          'canary%2Fpassword',
          'canary/password',
          'canary-later',
        ]
        for (const canary of canaries) log.error({ nested: { text: `failed at ${canary}` } }, canary)
        log.error({ models: ['org/model'] }, 'not a secret')
        return { done: Promise.resolve() }
      },
      { settings },
    )
    await ended
    const folder = settings['logging.logging_dir']
    const text = readFileSync(join(folder, 'w', 'h', 'netuid4', 'miner', 'miner.log'), 'utf8')
    expect(directory).not.toBe(folder)
    expect(text).not.toContain('canary')
    expect(text).toContain('[redacted]')
    expect(text).toContain('org/model')
  })

  it('returns the report of a role that ends by itself and removes its listeners', async () => {
    const before = process.listenerCount('SIGTERM')
    const { ended } = run(async () => ({ done: Promise.resolve({ served: 3 }) }))
    expect(await ended).toEqual({ served: 3 })
    expect(process.listenerCount('SIGTERM')).toBe(before)
  })

  it.each([
    ['validator', 'reload-ignored'],
    ['miner', undefined],
  ] as const)('SIGHUP does not stop a %s, even while it starts', async (role, event) => {
    const { settings } = minerSettings({ 'logging.level': 'info' })
    const done = createDeferred<string>()
    const start = async ({ stateDir }: RunContext) => {
      listeners = process.listenerCount('SIGHUP')
      process.once('SIGHUP', () => done.resolve(stateDir))
      process.kill(process.pid, 'SIGHUP')
      return { done: done.promise }
    }
    let listeners = 0
    const ended = runRole({ role, settings, hotkey, warnings: [], stderr, start })
    expect(process.listenerCount('SIGHUP')).toBe(1)
    const text = readFileSync(join((await ended) ?? '', `${role}.log`), 'utf8')
    if (event) expect(text).toContain(event)
    else expect(text).not.toContain('reload')
    expect(listeners).toBe(1)
    expect(process.listenerCount('SIGHUP')).toBe(0)
  })

  it('drains and requests a restart when a release is on probation', async () => {
    const { ended } = run(async ({ signal, restart }) => {
      const done = createDeferred<string>()
      signal.addEventListener('abort', () => done.resolve('drained'))
      queueMicrotask(() => restart('update'))
      return { done: done.promise }
    })
    expect(await ended).toBe('drained')
    expect(process.exitCode).toBe(75)
  })

  it('rejects with the reason when a role cannot start', async () => {
    const refusal = new TargonError('The port is taken.', { code: 'X', fault: 'usage' })
    await expect(run(() => Promise.reject(refusal)).ended).rejects.toBe(refusal)
  })

  it('treats a startup interrupted by a signal as a clean exit', async () => {
    const { ended } = run(async ({ signal, restart }) => {
      restart('test')
      signal.throwIfAborted()
      return { done: Promise.resolve('never') }
    })
    expect(await ended).toBeUndefined()
  })

  it('treats what a startup fails with after a signal as the signal', async () => {
    const { ended } = run(async ({ restart }) => {
      restart('test')
      throw new TargonError('Lost the connection.', { code: 'CHAIN_CONNECTION_LOST', fault: 'unreachable' })
    })
    expect(await ended).toBeUndefined()
  })

  it('reports what fails while it drains', async () => {
    const { ended } = run(async ({ signal, restart }) => {
      const done = createDeferred<never>()
      signal.addEventListener('abort', () => done.reject(new Error('the disk is full')))
      queueMicrotask(() => restart('test'))
      return { done: done.promise }
    })
    await expect(ended).rejects.toThrow('the disk is full')
  })

  it('fails when what the role depends on dies', async () => {
    const death = createDeferred<never>()
    const { ended } = run(async () => ({ done: new Promise(() => {}) }), { death: death.promise })
    death.reject(new Error('the chain died'))
    await expect(ended).rejects.toThrow('the chain died')
  })

  it('writes configuration warnings to the log file', async () => {
    const { ended } = run(async ({ stateDir }) => ({ done: Promise.resolve(stateDir) }), {
      warnings: ['--x is deprecated; use --y.'],
    })
    expect(readFileSync(join((await ended) ?? '', 'miner.log'), 'utf8')).toContain('--x is deprecated')
  })

  it('refuses names that lead out of the state folder', async () => {
    await expect(
      run(async () => ({ done: Promise.resolve(1) }), { 'wallet.name': '../../etc' }).ended,
    ).rejects.toMatchObject({ code: 'STATE_FOLDER_NAME' })
  })
})
