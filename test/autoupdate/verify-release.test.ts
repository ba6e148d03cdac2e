import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { installRelease } from '../support/install-release.js'
import { ReleaseRepository } from '../support/release-repository.js'

const repository = new ReleaseRepository()
beforeAll(() => repository.release('1.0.0'))

describe('R1 the signature', () => {
  it('refuses a tag signed by a key that is not pinned', async () => {
    const evil = new ReleaseRepository()
    await evil.release('1.0.0', 'good', evil.strangerKey)
    expect(await installRelease(evil.context())).toBe('signature')
  })

  it('refuses an unsigned tag', async () => {
    const plain = new ReleaseRepository()
    plain.git('tag', '-a', '-m', 'no signature', 'v1.0.0')
    plain.git('push', '--quiet', 'origin', 'main', 'refs/tags/v1.0.0')
    expect(await installRelease(plain.context())).toBe('signature')
  })

  it('refuses everything while no key is pinned', async () => {
    const signersFile = join(repository.folder, 'empty_signers')
    writeFileSync(signersFile, '# no key yet\n\n')
    // fails before it contacts the source
    const context = repository.context({ signersFile, url: '/nowhere.git' })
    await expect(installRelease(context)).rejects.toMatchObject({
      code: 'UPDATE_NO_SIGNERS',
      fault: 'update',
    })
    expect(existsSync(context.layout.repository)).toBe(false)
  })

  it('reports a missing pinned-signers file', async () => {
    const context = repository.context({ signersFile: '/nowhere/allowed_signers' })
    await expect(installRelease(context)).rejects.toMatchObject({
      code: 'UPDATE_SIGNERS_MISSING',
      fault: 'update',
    })
  })

  it('never consults the keyring of the host for a PGP signature', async () => {
    const pretty = new ReleaseRepository(repository.folder)
    const marker = join(pretty.folder, 'gpg-ran')
    const gpg = join(pretty.folder, 'gpg')
    writeFileSync(
      gpg,
      `#!/bin/sh\ntouch ${marker}\necho 'Good "git" signature for maintainer@example.org with x' >&2\n`,
      { mode: 0o755 },
    )
    const signed = pretty.git('cat-file', 'tag', 'v1.0.0')
    const armoured = signed.replaceAll(' SSH SIGNATURE', ' PGP SIGNATURE')
    const object = execFileSync('git', ['hash-object', '-t', 'tag', '-w', '--stdin'], {
      cwd: pretty.work,
      input: `${armoured}\n`,
      encoding: 'utf8',
    }).trim()
    pretty.git('push', '--quiet', '--force', 'origin', `${object}:refs/tags/v1.0.0`)
    const env = { PATH: `${pretty.folder}:${process.env.PATH}`, HOME: pretty.folder }
    expect(await installRelease(pretty.context({ env }))).toBe('signature')
    expect(existsSync(marker)).toBe(false)
  })

  it('does not report a release as unsigned when ssh-keygen is missing', async () => {
    const bare = join(repository.folder, 'no-ssh-keygen')
    mkdirSync(bare)
    for (const program of ['git', 'npm', 'node', 'sh'])
      symlinkSync(execFileSync('which', [program], { encoding: 'utf8' }).trim(), join(bare, program))
    const context = repository.context({ env: { PATH: bare, HOME: repository.folder } })
    await expect(installRelease(context)).rejects.toMatchObject({ code: 'UPDATE_COMMAND_FAILED' })
  })
})

describe('R2 and R3 tag, release file, commit and package.json must agree', () => {
  it('refuses an old signed tag pushed under a new name', async () => {
    const renamed = new ReleaseRepository(repository.folder)
    const object = renamed.git('rev-parse', 'refs/tags/v1.0.0')
    renamed.git('push', '--quiet', 'origin', `${object}:refs/tags/v9.9.9`)
    expect(await installRelease(renamed.context())).toBe('tag-name')
  })

  /** A tag signed by the maintainer whose release file was changed before signing. */
  async function signedWith(changes: object | undefined): Promise<string> {
    const wrong = new ReleaseRepository(repository.folder)
    const signed = wrong.git('cat-file', 'tag', 'v1.0.0')
    const release = JSON.parse(/\{[\s\S]*?\n\}/.exec(signed)?.[0] ?? '{}') as object
    const message = changes ? JSON.stringify({ ...release, ...changes }, null, 2) : 'no release file'
    const signing = ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${wrong.maintainerKey}`]
    const version = changes && 'version' in changes ? String(changes.version) : '1.0.0'
    wrong.git(...signing, 'tag', '-f', '-s', '-m', message, `v${version}`, 'v1.0.0^{commit}')
    wrong.git('push', '--quiet', '--force', 'origin', `refs/tags/v${version}`)
    return await installRelease(wrong.context())
  }

  it.each([
    ['whose package.json has another version', { version: '2.0.0' }, 'version-mismatch'],
    ['whose release file names another commit', { commit: '0'.repeat(40) }, 'commit-mismatch'],
    ['without a release file', undefined, 'release-file'],
    ['whose release file has no digest', { sha512: '' }, 'release-file'],
    ['that needs a newer Node', { minNode: '99.0.0' }, 'node-too-old'],
  ])('refuses a signed tag %s', async (_, changes, rule) => {
    expect(await signedWith(changes)).toBe(rule)
  })

  it('refuses a tree whose bytes do not match the signed digest', async () => {
    const forged = new ReleaseRepository(repository.folder)
    const signed = forged.git('cat-file', 'tag', 'v1.0.0')
    const release = JSON.parse(/\{[\s\S]*?\n\}/.exec(signed)?.[0] ?? '{}') as object
    const message = JSON.stringify({ ...release, sha512: 'a'.repeat(128) }, null, 2)
    const signing = ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${forged.maintainerKey}`]
    forged.git(...signing, 'tag', '-f', '-s', '-m', message, 'v1.0.0', 'v1.0.0^{commit}')
    forged.git('push', '--quiet', '--force', 'origin', 'refs/tags/v1.0.0')
    const context = forged.context()
    await expect(installRelease(context)).rejects.toMatchObject({
      code: 'UPDATE_REFUSED',
      facts: { rule: 'contents' },
    })
    expect(readdirSync(context.layout.releases)).toEqual([])
  })
})
