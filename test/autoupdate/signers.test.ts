import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openUpdate, pinnedSigners } from '../../src/autoupdate/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { installAndConfirm } from '../support/install-release.js'
import { ReleaseRepository } from '../support/release-repository.js'

/** Writes the pinned signers that the next release contains. */
function pinInNextRelease(repository: ReleaseRepository, key: string): void {
  mkdirSync(join(repository.work, 'deploy'), { recursive: true })
  const publicKey = readFileSync(`${key}.pub`, 'utf8')
  repository.write('deploy/allowed_signers', `maintainer@example.org namespaces="git" ${publicKey}`)
}

/** A machine without a configured signers file: the current release's file counts, at first the bundled one. */
const defaultMachine = (repository: ReleaseRepository) => repository.context({ signersFile: undefined })

describe('R1 key compromise', () => {
  it('refuses a key that the running release no longer pins, however high the version', async () => {
    const repository = new ReleaseRepository()
    const newKey = repository.makeKey('successor')
    pinInNextRelease(repository, newKey)
    await repository.release('1.0.0')
    const context = defaultMachine(repository)
    expect(await installAndConfirm(context)).toBe('1.0.0')
    await repository.release('50.0.0')
    expect(await installAndConfirm(context)).toBe('signature')
    repository.git('push', '--quiet', 'origin', ':refs/tags/v50.0.0')
    await repository.release('50.0.1', 'good', newKey)
    expect(await installAndConfirm(context)).toBe('50.0.1')
  })

  it('refuses a release that pins its own signer', async () => {
    const repository = new ReleaseRepository()
    pinInNextRelease(repository, repository.strangerKey)
    await repository.release('1.0.0', 'good', repository.strangerKey)
    expect(await installAndConfirm(defaultMachine(repository))).toBe('signature')
  })

  it('uses the signers of the running tree until a release is installed', async () => {
    const settings = { 'update.url': 'x', 'update.signers': undefined, 'update.channel': 'stable' as const }
    const signal = new AbortController().signal
    const surroundings = { node: { version: '20.19.0', path: 'node' }, env: {}, clock: systemClock, signal }
    const context = openUpdate(
      { ...settings, 'update.root': '/nowhere' },
      { ...surroundings, onProgress: () => {} },
    )
    expect(context.bundledSignersFile).toBe(new URL('../../deploy/allowed_signers', import.meta.url).pathname)
    await expect(pinnedSigners(context)).rejects.toMatchObject({ code: 'UPDATE_NO_SIGNERS', fault: 'update' })
  })
})
