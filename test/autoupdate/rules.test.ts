import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { confirmRelease, currentRelease, findOffer, readState, slotOf } from '../../src/autoupdate/index.js'
import { newestVersion, policyRefusal } from '../../src/autoupdate/offer.js'
import { parseTree } from '../../src/autoupdate/tree-digest.js'
import { installRelease } from '../support/install-release.js'
import { ReleaseRepository } from '../support/release-repository.js'

const repository = new ReleaseRepository()

describe('a release of the right people', () => {
  beforeAll(() => repository.release('1.0.0'))

  it('is offered with its version, its signer and no warning', async () => {
    const offer = await findOffer(repository.context())
    expect(offer).toMatchObject({ kind: 'available', installed: '0.9.0', warnings: [] })
    expect(offer.kind === 'available' && offer.verified.signedBy).toBe('maintainer@example.org')
  })

  it('becomes a complete slot with the built files, on trial, with the launcher beside it', async () => {
    const context = repository.context()
    expect(await installRelease(context)).toBe('applied')
    expect(await currentRelease(context.layout)).toBe('1.0.0')
    expect(readdirSync(slotOf(context.layout, '1.0.0'))).toEqual(
      expect.arrayContaining(['COMPLETE', 'dist', 'npm-shrinkwrap.json', 'package.json']),
    )
    expect(existsSync(context.layout.launcher)).toBe(true)
    expect(await readState(context.layout)).toMatchObject({
      state: 'probation',
      from: null,
      to: '1.0.0',
      attempts: 0,
    })
  })

  it('is committed once it has proven healthy, and is then no longer news', async () => {
    const context = repository.context()
    await installRelease(context)
    expect(await confirmRelease(context.layout, '1.0.0')).toBe(true)
    expect(await confirmRelease(context.layout, '1.0.0')).toBe(false)
    expect(await readState(context.layout)).toMatchObject({
      state: 'committed',
      highest: '1.0.0',
      committed: ['1.0.0'],
    })
    expect((await findOffer(context)).kind).toBe('none')
  })

  it('is told to be stale when its release file has expired', async () => {
    const context = repository.context()
    const clock = { ...context.clock, now: () => Date.now() + 90 * 86_400_000 }
    const offer = await findOffer({ ...context, clock })
    expect(offer.kind === 'available' && offer.warnings[0]).toMatch(/expired/)
  })
})

describe('R4 roll-back attacks: never below what ran here', () => {
  const committed = { state: 'committed', highest: '2.0.0', committed: ['1.5.0', '2.0.0'], bad: [] } as const

  it.each([
    ['1.9.0', '1.0.0', false, 'downgrade'],
    ['1.9.0', '1.0.0', true, 'downgrade'],
    ['1.5.0', '2.0.0', false, 'downgrade'],
    ['1.5.0', '2.0.0', true, undefined],
    ['2.0.0', '1.5.0', false, undefined],
    ['2.0.1', '2.0.0', false, undefined],
  ])('offering %s on %s (asked for: %s) → %s', (version, installed, asked, rule) => {
    const state = { ...committed, committed: [...committed.committed], bad: [] }
    expect(policyRefusal(version, installed, state, asked)?.rule).toBe(rule)
  })

  it('compares versions as semver, not as digits or text', () => {
    expect(newestVersion(['v4.5.11', 'v5.0.0', 'v4.10.0', 'v10.0.0-rc.1', 'nightly', 'v7'], 'stable')).toBe(
      '5.0.0',
    )
    expect(newestVersion(['v5.0.0', 'v10.0.0-rc.1'], 'next')).toBe('10.0.0-rc.1')
    expect(newestVersion(['nightly'], 'stable')).toBeUndefined()
  })
})

describe('R5 and R8 wrong software: the self-test', () => {
  it.each(['bad-self-test', 'lies-about-version'] as const)(
    '%s: refused, remembered as bad, nothing left behind',
    async (behaviour) => {
      const broken = new ReleaseRepository()
      await broken.release('1.0.0', behaviour)
      const context = broken.context()
      await expect(installRelease(context)).rejects.toMatchObject({
        code: 'UPDATE_REFUSED',
        facts: { rule: 'self-test' },
      })
      expect(await currentRelease(context.layout)).toBeUndefined()
      expect(readdirSync(context.layout.releases)).toEqual([])
      expect(await installRelease(context)).toBe('known-bad')
    },
  )
})

describe('R6 what git may do', () => {
  it('runs no hook of the mirror', async () => {
    const context = repository.context()
    const marker = join(context.layout.root, 'hook-ran')
    execFileSync('git', ['init', '--quiet', '--bare', context.layout.repository])
    mkdirSync(join(context.layout.repository, 'hooks'), { recursive: true })
    for (const hook of ['post-checkout', 'reference-transaction', 'post-index-change']) {
      writeFileSync(join(context.layout.repository, 'hooks', hook), `#!/bin/sh\ntouch ${marker}\n`, {
        mode: 0o755,
      })
    }
    expect(await installRelease(context)).toBe('applied')
    expect(existsSync(marker)).toBe(false)
  })

  it('refuses a signed release with a symbolic link in its tree', async () => {
    const linked = new ReleaseRepository()
    symlinkSync('/etc/passwd', join(linked.work, 'settings'))
    linked.git('add', '.')
    linked.git('commit', '--quiet', '-m', 'feat: a link')
    const release = { version: '0.9.1', sha512: '0'.repeat(128), expires: '2099-01-01T00:00:00.000Z' }
    linked.write('package.json', JSON.stringify({ version: '0.9.1' }))
    linked.git('commit', '--quiet', '-am', 'chore: version')
    const whole = { ...release, commit: linked.git('rev-parse', 'HEAD'), minNode: '20.0.0', specVersion: 1 }
    const signing = ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${linked.maintainerKey}`]
    linked.git(...signing, 'tag', '-s', '-m', JSON.stringify(whole, null, 2), 'v0.9.1')
    linked.git('push', '--quiet', 'origin', 'refs/tags/v0.9.1')
    const context = linked.context()
    await expect(installRelease(context)).rejects.toMatchObject({ facts: { rule: 'unsafe-tree' } })
    expect(readdirSync(context.layout.releases)).toEqual([])
  })

  it.each([
    ['120000 blob aaaa 4\tlink\0', 'link'],
    ['160000 commit aaaa -\tsub\0', 'sub'],
    ['100644 blob aaaa 999\tbig\0', 'exceed'],
  ])('refuses a tree with %j', (listing, why) => {
    const parsed = parseTree(listing, 100)
    expect('unsafe' in parsed && parsed.unsafe).toContain(why)
  })
})

describe('R7 extraneous dependencies', () => {
  it('installs without running any script of the release', async () => {
    const scripted = new ReleaseRepository()
    const marker = join(scripted.folder, 'script-ran')
    const pkg = JSON.parse(readFileSync(join(scripted.work, 'package.json'), 'utf8')) as object
    scripted.write(
      'package.json',
      JSON.stringify({ ...pkg, scripts: { prepare: `touch ${marker}`, postinstall: `touch ${marker}` } }),
    )
    await scripted.release('1.0.0')
    expect(await installRelease(scripted.context())).toBe('applied')
    expect(existsSync(marker)).toBe(false)
  })

  it('refuses a release whose lock file does not fit its package', async () => {
    const unlocked = new ReleaseRepository()
    const pkg = JSON.parse(readFileSync(join(unlocked.work, 'package.json'), 'utf8')) as object
    unlocked.write('package.json', JSON.stringify({ ...pkg, dependencies: { 'is-number': '7.0.0' } }))
    await unlocked.release('1.0.0')
    await expect(installRelease(unlocked.context())).rejects.toMatchObject({ facts: { rule: 'install' } })
  })
})

describe('a source that cannot be used', () => {
  it('names the source and keeps everything as it is', async () => {
    const context = repository.context({ url: join(repository.folder, 'nowhere.git') })
    await expect(findOffer(context)).rejects.toMatchObject({ code: 'UPDATE_COMMAND_FAILED', fault: 'update' })
    expect(existsSync(context.layout.state)).toBe(false)
  })
})
