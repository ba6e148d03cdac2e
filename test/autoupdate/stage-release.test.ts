import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { currentRelease, readState, slotOf } from '../../src/autoupdate/index.js'
import { parseTree } from '../../src/autoupdate/tree-digest.js'
import { installRelease } from '../support/install-release.js'
import { ReleaseRepository } from '../support/release-repository.js'

it('builds a complete slot with the built files, puts it on probation and installs the launcher', async () => {
  const repository = new ReleaseRepository()
  await repository.release('1.0.0')
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

describe('R5 and R8 the self-test', () => {
  it.each(['bad-self-test', 'lies-about-version'] as const)(
    'refuses a release with %s, marks it as failed and leaves no slot',
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

describe('R6 the tree', () => {
  it('refuses a signed release that contains a symbolic link', async () => {
    const linked = new ReleaseRepository()
    symlinkSync('/etc/passwd', join(linked.work, 'settings'))
    linked.git('add', '.')
    linked.git('commit', '--quiet', '-m', 'feat: add a link')
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
  ])('refuses a tree with %j', (listing, reason) => {
    const parsed = parseTree(listing, 100)
    expect('unsafe' in parsed && parsed.unsafe).toContain(reason)
  })
})

describe('R7 dependencies', () => {
  it('installs them without running any script of the release', async () => {
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

  it('refuses a release whose lock file does not match its package.json', async () => {
    const unlocked = new ReleaseRepository()
    const pkg = JSON.parse(readFileSync(join(unlocked.work, 'package.json'), 'utf8')) as object
    unlocked.write('package.json', JSON.stringify({ ...pkg, dependencies: { 'is-number': '7.0.0' } }))
    await unlocked.release('1.0.0')
    await expect(installRelease(unlocked.context())).rejects.toMatchObject({ facts: { rule: 'install' } })
  })
})
