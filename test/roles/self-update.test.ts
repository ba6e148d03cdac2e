import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { type Layout, layoutOf, readState, withUpdateLock } from '../../src/autoupdate/index.js'
import { beginProbation } from '../../src/autoupdate/switch-release.js'
import { runRole } from '../../src/cli/index.js'
import { inheritableEnvironment, resolveSettings } from '../../src/config/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import { createDeferred } from '../../src/kernel/deferred.js'
import { packageVersion } from '../../src/kernel/version.js'
import { isUnattended, openSelfUpdate } from '../../src/roles/self-update.js'
import { ReleaseRepository } from '../support/release-repository.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const hotkey = '5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM'
const surroundings = {
  node: { version: process.versions.node, path: process.execPath },
  env: inheritableEnvironment(),
}
/** The hour and the hotkey's share of half an hour pass at once. */
const hurried: Clock = { ...systemClock, sleep: async (_ms, signal) => signal?.throwIfAborted() }

function settingsFor(repository: ReleaseRepository) {
  const folder = temporaryFolder('self')
  const flags = {
    'update.url': repository.remote,
    'update.signers': repository.signers,
    'update.root': join(folder, 'releases'),
    'logging.logging_dir': folder,
    'logging.info': false,
    launched: true,
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
    // at the first look it cannot serve: that hour passes without one
    const lacks = ['no upstream answers', undefined]
    const report = await runRole({
      role: 'miner',
      settings,
      hotkey,
      warnings: [],
      start: async (context) => {
        const life = { ...context, clock: hurried }
        openSelfUpdate(settings, hotkey, surroundings, life).lookHourly(() => lacks.shift())
        const drained = new Promise<string>((resolve) =>
          context.signal.addEventListener('abort', () => resolve('drained')),
        )
        return { done: drained }
      },
    })
    expect(report).toBe('drained')
    expect(lacks).toEqual([])
    expect(process.exitCode).toBe(75)
    const layout = layoutOf(settings['update.root'])
    expect(await readState(layout)).toMatchObject({ state: 'probation', to: '99.0.0' })
  })
})

describe('a role that runs from a release on trial', () => {
  function onTrial() {
    const repository = new ReleaseRepository()
    const settings = settingsFor(repository)
    const said: string[] = []
    const log = pino(
      {},
      { write: (line: string) => void said.push((JSON.parse(line) as { event: string }).event) },
    )
    const { signal } = new AbortController()
    const life = { clock: systemClock, log, signal, restart: () => {} }
    return {
      layout: layoutOf(settings['update.root']),
      context: repository.context({ layout: layoutOf(settings['update.root']) }),
      said,
      updates: openSelfUpdate(settings, hotkey, surroundings, life),
    }
  }

  async function begin(layout: Layout, version: string): Promise<void> {
    mkdirSync(layout.releases, { recursive: true })
    await beginProbation(layout, version)
  }

  /** Until another role, begun after the one in question, has ended its trial: what does not wait has ended by then too. */
  async function whileAnotherConfirms(): Promise<void> {
    const { layout, said, updates } = onTrial()
    await begin(layout, packageVersion())
    updates.confirmWhen(Promise.resolve())
    await expect.poll(() => said).toEqual(['release-confirmed'])
  }

  it('commits it once healthy, not before', async () => {
    const { layout, said, updates } = onTrial()
    await begin(layout, packageVersion())
    const healthy = createDeferred<void>()
    updates.confirmWhen(healthy.promise)
    await whileAnotherConfirms()
    expect((await readState(layout)).state).toBe('probation')
    healthy.resolve()
    await expect.poll(() => said).toEqual(['release-confirmed'])
    expect(await readState(layout)).toMatchObject({ state: 'committed', committed: [packageVersion()] })
  })

  it('waits for an updater that holds the lock', async () => {
    const { layout, said, updates, context } = onTrial()
    await begin(layout, packageVersion())
    await withUpdateLock(context, async () => {
      updates.confirmWhen(Promise.resolve())
      await whileAnotherConfirms()
      expect((await readState(layout)).state).toBe('probation')
    })
    await expect.poll(() => said).toEqual(['release-confirmed'])
  })

  it('leaves the trial of another release alone', async () => {
    const { layout, said, updates } = onTrial()
    await begin(layout, '99.0.0')
    updates.confirmWhen(Promise.resolve())
    await whileAnotherConfirms()
    expect(said).toEqual([])
    expect(await readState(layout)).toMatchObject({ state: 'probation', to: '99.0.0' })
  })

  it('makes no folder for updates when there never was one', async () => {
    const { layout, updates } = onTrial()
    updates.confirmWhen(Promise.resolve())
    await whileAnotherConfirms()
    expect(existsSync(layout.root)).toBe(false)
  })
})

describe('who updates by itself', () => {
  const flag = (name: string) => ({ [name]: true })
  it.each([
    // role, flags, variables, whether it does
    ['validator', {}, {}, true],
    ['validator', flag('autoupdate-off'), {}, false],
    ['validator', {}, { AUTO_UPDATE: 'false' }, false],
    ['validator', {}, { AUTO_UPDATE: 'true' }, true],
    ['validator', {}, { NO_AUTO_UPDATE: 'true' }, false],
    ['validator', {}, { NO_AUTO_UPDATE: 'false' }, true],
    ['validator', {}, { TARGON_AUTOUPDATE_OFF: 'true', AUTO_UPDATE: 'true' }, false],
    ['validator', {}, { TARGON_UPDATE_SOURCE: 'npm' }, false],
    ['miner', {}, {}, false],
    ['miner', {}, { AUTO_UPDATE: 'true' }, false],
    ['miner', flag('autoupdate'), {}, true],
    ['miner', {}, { TARGON_AUTOUPDATE: 'true' }, true],
    ['miner', { ...flag('autoupdate'), ...flag('autoupdate-off') }, {}, false],
    ['miner', flag('autoupdate'), { AUTO_UPDATE: 'false' }, false],
    ['miner', flag('autoupdate'), { NO_AUTO_UPDATE: 'true' }, false],
    ['miner', flag('autoupdate'), { TARGON_UPDATE_SOURCE: 'npm' }, false],
  ] as const)('%s with %j %j: %s', (role, flags, env, does) => {
    expect(isUnattended(role, resolveSettings(role, { flags, env }).values)).toBe(does)
  })
})
