import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { layoutOf, readState } from '../../src/autoupdate/index.js'
import { beginProbation } from '../../src/autoupdate/switch-release.js'
import { runRole } from '../../src/cli/index.js'
import { type Clock, systemClock } from '../../src/clock.js'
import { inheritableEnvironment, resolveSettings } from '../../src/config/index.js'
import { openSelfUpdate } from '../../src/roles/self-update.js'
import { packageVersion } from '../../src/version.js'
import { ReleaseRepository } from '../support/release-repository.js'

const hotkey = '5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM'
const surroundings = {
  node: { version: process.versions.node, path: process.execPath },
  env: inheritableEnvironment(),
}
/** The hour and the hotkey's share of half an hour pass at once. */
const hurried: Clock = { ...systemClock, sleep: async (_ms, signal) => signal?.throwIfAborted() }

function settingsFor(repository: ReleaseRepository) {
  const folder = mkdtempSync(join(tmpdir(), 'targon-self-'))
  const flags = {
    'update.url': repository.remote,
    'update.signers': repository.signers,
    'update.root': join(folder, 'releases'),
    'logging.logging_dir': folder,
    'logging.info': false,
    'wallet.name': 'w',
    'wallet.hotkey': 'h',
  }
  return resolveSettings('miner', { flags, env: {} }).values
}

afterEach(() => {
  process.exitCode = undefined
})

describe('a role that updates itself', () => {
  it('drains and exits 75 once a signed release is on trial', async () => {
    const repository = new ReleaseRepository()
    await repository.release('99.0.0')
    const settings = settingsFor(repository)
    const report = await runRole({
      role: 'miner',
      settings,
      hotkey,
      warnings: [],
      start: async (context) => {
        const life = { ...context, clock: hurried }
        openSelfUpdate(settings, hotkey, surroundings, life).lookHourly()
        const drained = new Promise<string>((resolve) =>
          context.signal.addEventListener('abort', () => resolve('drained')),
        )
        return { done: drained }
      },
    })
    expect(report).toBe('drained')
    expect(process.exitCode).toBe(75)
    const layout = layoutOf(settings['update.root'])
    expect(await readState(layout)).toMatchObject({ state: 'probation', to: '99.0.0' })
  })
})

describe('a role that runs from a release on trial', () => {
  function onTrial() {
    const settings = settingsFor(new ReleaseRepository())
    const said: string[] = []
    const log = pino(
      {},
      { write: (line: string) => void said.push((JSON.parse(line) as { msg: string }).msg) },
    )
    const { signal } = new AbortController()
    const life = { clock: systemClock, log, signal, restart: () => {} }
    return {
      layout: layoutOf(settings['update.root']),
      said,
      updates: openSelfUpdate(settings, hotkey, surroundings, life),
    }
  }

  it.each([
    ['commits it once healthy', () => Promise.resolve(), 'release confirmed', 'committed'],
    [
      'leaves it on trial when it never got healthy',
      () => Promise.reject(new Error('no')),
      'release not confirmed',
      'probation',
    ],
  ])('%s', async (_, healthy, message, state) => {
    const { layout, said, updates } = onTrial()
    mkdirSync(layout.root, { recursive: true })
    await beginProbation(layout, systemClock, packageVersion())
    updates.confirmWhen(healthy())
    await expect.poll(() => said).toEqual([message])
    expect((await readState(layout)).state).toBe(state)
  })
})
