import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  applyUpdate,
  confirmRelease,
  currentRelease,
  findOffer,
  readState,
  slotOf,
  type UpdateContext,
  withUpdateLock,
} from '../../src/autoupdate/index.js'
import { newestVersion, policyRefusal } from '../../src/autoupdate/offer.js'
import { parseTree } from '../../src/autoupdate/tree-digest.js'
import { ReleaseRepository } from '../support/release-repository.js'

const launcher = new URL('../../deploy/launcher.mjs', import.meta.url).pathname
const worker = new URL('../support/update-worker.ts', import.meta.url).pathname
const repository = new ReleaseRepository()

async function install(context: UpdateContext, wanted?: string): Promise<string> {
  const offer = await findOffer(context, wanted)
  if (offer.kind !== 'available') return offer.kind === 'refused' ? offer.refusal.rule : offer.kind
  await withUpdateLock(context, (locked) => applyUpdate(locked, offer.verified, launcher))
  return 'applied'
}

describe('a release of the right people', () => {
  beforeAll(() => repository.release('1.0.0'))

  it('is offered with its version, its signer and no warning', async () => {
    const offer = await findOffer(repository.context())
    expect(offer).toMatchObject({ kind: 'available', installed: '0.9.0', warnings: [] })
    expect(offer.kind === 'available' && offer.verified.signedBy).toBe('maintainer@example.org')
  })

  it('becomes a complete slot with the built files, on trial, with the launcher beside it', async () => {
    const context = repository.context()
    expect(await install(context)).toBe('applied')
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
    await install(context)
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

describe('R1 arbitrary software: who signed', () => {
  it('refuses a tag signed by a key that is not pinned', async () => {
    const evil = new ReleaseRepository()
    await evil.release('1.0.0', 'good', evil.strangerKey)
    expect(await install(evil.context())).toBe('signature')
  })

  it('refuses an unsigned tag', async () => {
    const plain = new ReleaseRepository()
    plain.git('tag', '-a', '-m', 'no signature', 'v1.0.0')
    plain.git('push', '--quiet', 'origin', 'main', 'refs/tags/v1.0.0')
    expect(await install(plain.context())).toBe('signature')
  })

  it('refuses everything while no key is pinned', async () => {
    const signersFile = join(repository.folder, 'empty_signers')
    writeFileSync(signersFile, '# nobody yet\n\n')
    // it does not even ask the source
    const context = repository.context({ signersFile, url: '/nowhere.git' })
    await expect(install(context)).rejects.toMatchObject({ code: 'UPDATE_NO_SIGNERS', fault: 'update' })
    expect(existsSync(context.layout.repository)).toBe(false)
  })

  it('says so when the file of pinned signers is not there', async () => {
    const context = repository.context({ signersFile: '/nowhere/allowed_signers' })
    await expect(install(context)).rejects.toMatchObject({ code: 'UPDATE_SIGNERS_MISSING', fault: 'update' })
  })

  it('never asks the keyring of the host about a signature of another kind', async () => {
    const pretty = new ReleaseRepository()
    await pretty.release('1.0.0')
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
    expect(await install(pretty.context({ env }))).toBe('signature')
    expect(existsSync(marker)).toBe(false)
  })

  it('does not call a release unsigned when nothing here can check signatures', async () => {
    const bare = join(repository.folder, 'no-ssh-keygen')
    mkdirSync(bare)
    for (const program of ['git', 'npm', 'node', 'sh'])
      symlinkSync(execFileSync('which', [program], { encoding: 'utf8' }).trim(), join(bare, program))
    const context = repository.context({ env: { PATH: bare, HOME: repository.folder } })
    await expect(install(context)).rejects.toMatchObject({ code: 'UPDATE_COMMAND_FAILED' })
  })
})

describe('R2 and R3 mix and match: names must agree', () => {
  it('refuses an old signed tag pushed under a new name', async () => {
    const renamed = new ReleaseRepository()
    await renamed.release('1.0.0')
    const object = renamed.git('rev-parse', 'refs/tags/v1.0.0')
    renamed.git('push', '--quiet', 'origin', `${object}:refs/tags/v9.9.9`)
    expect(await install(renamed.context())).toBe('tag-name')
  })

  it('refuses a signed tag whose package says another version', async () => {
    const wrong = new ReleaseRepository()
    await wrong.release('1.0.0')
    const commit = wrong.git('rev-parse', 'refs/tags/v1.0.0^{commit}')
    const message = JSON.stringify(
      {
        version: '2.0.0',
        commit,
        sha512: '0'.repeat(128),
        expires: '2099-01-01T00:00:00.000Z',
        minNode: '20.0.0',
        specVersion: 1,
      },
      null,
      2,
    )
    wrong.git(
      '-c',
      'gpg.format=ssh',
      '-c',
      `user.signingkey=${wrong.maintainerKey}`,
      'tag',
      '-s',
      '-m',
      message,
      'v2.0.0',
      commit,
    )
    wrong.git('push', '--quiet', 'origin', 'refs/tags/v2.0.0')
    expect(await install(wrong.context())).toBe('version-mismatch')
  })

  it('refuses a tree whose bytes do not have the signed digest', async () => {
    const forged = new ReleaseRepository()
    await forged.release('1.0.0')
    const signed = forged.git('cat-file', 'tag', 'v1.0.0')
    const release = JSON.parse(/\{[\s\S]*?\n\}/.exec(signed)?.[0] ?? '{}') as object
    const message = JSON.stringify({ ...release, sha512: 'a'.repeat(128) }, null, 2)
    forged.git(
      '-c',
      'gpg.format=ssh',
      '-c',
      `user.signingkey=${forged.maintainerKey}`,
      'tag',
      '-f',
      '-s',
      '-m',
      message,
      'v1.0.0',
      'v1.0.0^{commit}',
    )
    forged.git('push', '--quiet', '--force', 'origin', 'refs/tags/v1.0.0')
    const context = forged.context()
    await expect(install(context)).rejects.toMatchObject({
      code: 'UPDATE_REFUSED',
      facts: { rule: 'contents' },
    })
    expect(readdirSync(context.layout.releases)).toEqual([])
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
      await expect(install(context)).rejects.toMatchObject({
        code: 'UPDATE_REFUSED',
        facts: { rule: 'self-test' },
      })
      expect(await currentRelease(context.layout)).toBeUndefined()
      expect(readdirSync(context.layout.releases)).toEqual([])
      expect(await install(context)).toBe('known-bad')
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
    expect(await install(context)).toBe('applied')
    expect(existsSync(marker)).toBe(false)
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
    expect(await install(scripted.context())).toBe('applied')
    expect(existsSync(marker)).toBe(false)
  })

  it('refuses a release whose lock file does not fit its package', async () => {
    const unlocked = new ReleaseRepository()
    const pkg = JSON.parse(readFileSync(join(unlocked.work, 'package.json'), 'utf8')) as object
    unlocked.write('package.json', JSON.stringify({ ...pkg, dependencies: { 'is-number': '7.0.0' } }))
    await unlocked.release('1.0.0')
    await expect(install(unlocked.context())).rejects.toMatchObject({ facts: { rule: 'install' } })
  })
})

describe('two updaters at once', () => {
  it('lets exactly one of five work', async () => {
    const context = repository.context()
    const offer = await findOffer(context)
    if (offer.kind !== 'available') throw new Error('no offer')
    const runs = await Promise.allSettled(
      Array.from({ length: 5 }, () =>
        withUpdateLock(context, (locked) => applyUpdate(locked, offer.verified, launcher)),
      ),
    )
    expect(runs.filter((run) => run.status === 'fulfilled')).toHaveLength(1)
    const codes = runs.flatMap((run) =>
      run.status === 'rejected' ? [(run.reason as { code: string }).code] : [],
    )
    expect(new Set(codes)).toEqual(new Set(['UPDATE_RUNNING']))
  })

  it('lets exactly one of three processes work, whose slot is whole', async () => {
    const context = repository.context()
    const { layout, url, signersFile, ownVersion } = context
    const places = JSON.stringify({ root: layout.root, url, signersFile, ownVersion, launcher })
    const said = await Promise.all(
      [1, 2, 3].map(async () => {
        const child = spawn(process.execPath, ['--import', 'tsx', worker, places], { stdio: 'pipe' })
        const output = { text: '' }
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (chunk: Buffer) => {
            output.text += chunk.toString()
          })
        await once(child, 'close')
        return output.text
      }),
    )
    expect(said.filter((text) => /^applied$/m.test(text))).toHaveLength(1)
    for (const text of said) expect(text).toMatch(/^applied$|^none$|UPDATE_RUNNING/m)
    expect(await currentRelease(layout)).toBe('1.0.0')
    expect(readdirSync(layout.releases)).toEqual(['1.0.0'])
  })

  it('takes no second release while one is on trial', async () => {
    const busy = new ReleaseRepository()
    await busy.release('1.0.0')
    const context = busy.context()
    await install(context)
    await busy.release('1.0.1')
    await expect(install(context)).rejects.toMatchObject({ code: 'UPDATE_ON_TRIAL' })
    expect(await currentRelease(context.layout)).toBe('1.0.0')
  })

  it('stops the one that lost its lock, and takes nobody down with it', async () => {
    const context = repository.context()
    const lock = join(context.layout.root, 'update.lock')
    const work = withUpdateLock(context, async ({ signal }) => {
      rmSync(lock, { recursive: true })
      await context.clock.sleep(30_000, signal)
    })
    await expect(work).rejects.toMatchObject({ cause: { code: 'UPDATE_LOCK_LOST' } })
    await withUpdateLock(context, async () => {})
  })
})

describe('a source that cannot be used', () => {
  it('names the source and keeps everything as it is', async () => {
    const context = repository.context({ url: join(repository.folder, 'nowhere.git') })
    await expect(findOffer(context)).rejects.toMatchObject({ code: 'UPDATE_COMMAND_FAILED', fault: 'update' })
    expect(existsSync(context.layout.state)).toBe(false)
  })
})
