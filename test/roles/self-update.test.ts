import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { type Layout, layoutOf, readState, withUpdateLock } from '../../src/autoupdate/index.js'
import { writeState } from '../../src/autoupdate/state.js'
import { beginProbation } from '../../src/autoupdate/switch-release.js'
import { runRole } from '../../src/cli/index.js'
import { inheritableEnvironment, resolveSettings } from '../../src/config/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import { createDeferred } from '../../src/kernel/deferred.js'
import { packageVersion } from '../../src/kernel/version.js'
import { isUnattended, openSelfUpdate } from '../../src/roles/self-update.js'
import { pathWithQuickNpm, ReleaseRepository } from '../support/release-repository.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const hotkey = '5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM'
const surroundings = {
  node: { version: process.versions.node, path: process.execPath },
  env: { ...inheritableEnvironment(), PATH: pathWithQuickNpm() },
}
/** Makes the hour and the jitter pass at once. */
const hurried: Clock = { ...systemClock, sleep: async (_ms, signal) => signal?.throwIfAborted() }

function settingsFor(repository: ReleaseRepository) {
  const folder = temporaryFolder('self')
  const flags = {
    'update.url': repository.remote,
    'update.signers': repository.signers,
    'update.root': join(folder, 'releases'),
    'logging.logging_dir': folder,
    'logging.level': 'warn',
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
  it('drains and exits 75 once a signed release is on probation', async () => {
    const repository = new ReleaseRepository()
    await repository.release('99.0.0')
    const settings = settingsFor(repository)
    // it cannot serve at the first check, which is skipped
    const reasons = ['no upstream answers', undefined]
    const report = await runRole({
      role: 'miner',
      settings,
      hotkey,
      warnings: [],
      start: async (context) => {
        const lifetime = { ...context, clock: hurried }
        openSelfUpdate(settings, hotkey, surroundings, lifetime).checkHourly(() => reasons.shift())
        const drained = new Promise<string>((resolve) =>
          context.signal.addEventListener('abort', () => resolve('drained')),
        )
        return { done: drained }
      },
    })
    expect(report).toBe('drained')
    expect(reasons).toEqual([])
    expect(process.exitCode).toBe(75)
    const layout = layoutOf(settings['update.root'])
    expect(await readState(layout)).toMatchObject({ state: 'probation', to: '99.0.0' })
  })
})

describe('what is known of newer releases', () => {
  it('names a release that this node does not take by itself, and newer ones that were rolled back', async () => {
    const repository = new ReleaseRepository()
    await repository.release('99.0.0')
    const settings = { ...settingsFor(repository), launched: false }
    const results: string[] = []
    const { signal } = new AbortController()
    const updates = openSelfUpdate(settings, hotkey, surroundings, {
      ...{ clock: hurried, log: pino({ level: 'silent' }), signal, restart: () => {} },
      onCheck: (result) => void results.push(result),
    })
    expect(await updates.standing()).toEqual({ waiting: undefined, rolledBack: [] })
    await updates.afterWeights(() => ({ block: 0, nextWeightsBlock: 360 }))()
    await expect.poll(() => results).toEqual(['offered'])
    const layout = layoutOf(settings['update.root'])
    mkdirSync(settings['update.root'], { recursive: true })
    const bad = ['0.0.1', '98.0.0']
    await writeState(layout, { state: 'committed', highest: '1.0.0', committed: [], bad })
    expect(await updates.standing()).toMatchObject({
      waiting: { version: '99.0.0', reason: 'this node was not started by the launcher' },
      rolledBack: ['98.0.0'],
    })
  })
})

describe('a role that runs from a release on probation', () => {
  function onProbation() {
    const repository = new ReleaseRepository()
    const settings = settingsFor(repository)
    const events: string[] = []
    const log = pino(
      {},
      { write: (line: string) => void events.push((JSON.parse(line) as { event: string }).event) },
    )
    const { signal } = new AbortController()
    const lifetime = { clock: systemClock, log, signal, restart: () => {} }
    return {
      layout: layoutOf(settings['update.root']),
      context: repository.context({ layout: layoutOf(settings['update.root']) }),
      events,
      updates: openSelfUpdate(settings, hotkey, surroundings, lifetime),
    }
  }

  async function begin(layout: Layout, version: string): Promise<void> {
    mkdirSync(layout.releases, { recursive: true })
    await beginProbation(layout, version)
  }

  /** Waits until a role that was started later has confirmed its release; anything not waiting is done by then as well. */
  async function whileAnotherConfirms(): Promise<void> {
    const { layout, events, updates } = onProbation()
    await begin(layout, packageVersion())
    updates.confirmWhen(Promise.resolve())
    await expect.poll(() => events).toEqual(['release-confirmed'])
  }

  it('commits the release once healthy, not before', async () => {
    const { layout, events, updates } = onProbation()
    await begin(layout, packageVersion())
    const healthy = createDeferred<void>()
    updates.confirmWhen(healthy.promise)
    await whileAnotherConfirms()
    expect((await readState(layout)).state).toBe('probation')
    healthy.resolve()
    await expect.poll(() => events).toEqual(['release-confirmed'])
    expect(await readState(layout)).toMatchObject({ state: 'committed', committed: [packageVersion()] })
  })

  it('waits for an updater that holds the lock', async () => {
    const { layout, events, updates, context } = onProbation()
    await begin(layout, packageVersion())
    await withUpdateLock(context, async () => {
      updates.confirmWhen(Promise.resolve())
      await whileAnotherConfirms()
      expect((await readState(layout)).state).toBe('probation')
    })
    await expect.poll(() => events).toEqual(['release-confirmed'])
  })

  it('does not end the probation of another release', async () => {
    const { layout, events, updates } = onProbation()
    await begin(layout, '99.0.0')
    updates.confirmWhen(Promise.resolve())
    await whileAnotherConfirms()
    expect(events).toEqual([])
    expect(await readState(layout)).toMatchObject({ state: 'probation', to: '99.0.0' })
  })

  it('does not create the update root', async () => {
    const { layout, updates } = onProbation()
    updates.confirmWhen(Promise.resolve())
    await whileAnotherConfirms()
    expect(existsSync(layout.root)).toBe(false)
  })
})

describe('isUnattended', () => {
  const flag = (name: string) => ({ [name]: true })
  it.each([
    // role, flags, variables, result
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
    ['hub', {}, {}, false],
    ['hub', flag('autoupdate'), {}, true],
    ['hub', flag('autoupdate'), { AUTO_UPDATE: 'false' }, false],
  ] as const)('%s with %j %j: %s', (role, flags, env, expected) => {
    expect(isUnattended(role, resolveSettings(role, { flags, env }).values)).toBe(expected)
  })
})
