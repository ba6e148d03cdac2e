import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { gitIn } from '../../scripts/release/plan.js'
import { refusalsOf } from '../../scripts/release/refusals.js'
import { makeRelease } from '../../scripts/release.js'
import { currentRelease, runUpdate } from '../../src/autoupdate/index.js'
import { ReleaseRepository } from '../support/release-repository.js'

let repository: ReleaseRepository

function pin(...keys: string[]): void {
  mkdirSync(join(repository.work, 'deploy'), { recursive: true })
  const lines = keys.map(
    (key) => `maintainer@example.org namespaces="git" ${readFileSync(`${key}.pub`, 'utf8')}`,
  )
  repository.write('deploy/allowed_signers', `# who may sign\n${lines.join('')}`)
}

/** A changelog as maintainers keep it; `unreleased` is the body of its Unreleased section. */
const changelog = (unreleased: string, entries = '') =>
  `# Changelog\n\n## [Unreleased]\n\n${unreleased}${entries}`

function commitAll(subject = 'chore: housekeeping'): void {
  repository.git('add', '.')
  repository.git('commit', '--quiet', '--allow-empty', '-m', subject)
}

const planOf = (version = '1.0.0', key = repository.maintainerKey, note?: string) => ({
  folder: repository.work,
  version,
  key,
  note,
  now: new Date('2026-01-31T00:00:00Z'),
  build: () => {
    mkdirSync(join(repository.work, 'dist'), { recursive: true })
    repository.write('dist/built.js', 'export const built = true\n')
  },
})

/** Starts no npm, whose second is not the subject of most tests. */
const refusals = (...words: Parameters<typeof planOf>) => {
  const plan = planOf(...words)
  return refusalsOf(plan, gitIn(plan.folder), () => undefined)
}

const refusalsWithNpm = () => {
  const plan = planOf()
  return refusalsOf(plan, gitIn(plan.folder))
}

function editJson(name: string, edit: (value: Record<string, unknown>) => void): void {
  const value = JSON.parse(readFileSync(join(repository.work, name), 'utf8')) as Record<string, unknown>
  edit(value)
  repository.write(name, JSON.stringify(value))
}

let prepared: ReleaseRepository
beforeAll(() => {
  repository = new ReleaseRepository()
  pin(repository.maintainerKey)
  repository.write('CHANGELOG.md', changelog('### Added\n\n- The beginning.\n'))
  commitAll()
  repository.git('push', '--quiet', 'origin', 'main')
  prepared = repository
})
beforeEach(() => {
  repository = new ReleaseRepository(prepared.folder)
})
afterEach(() => rmSync(repository.folder, { recursive: true, force: true }))

describe('makeRelease', () => {
  it('commits version and changelog on main and the build on a signed tag off main, which updaters install', async () => {
    const release = await makeRelease(planOf('1.0.0', repository.maintainerKey, 'First release.'))
    const git = (...args: string[]) => repository.git(...args)
    expect(git('status', '--porcelain')).toBe('')
    expect(git('rev-parse', '--abbrev-ref', 'HEAD')).toBe('main')
    expect(git('ls-tree', '-r', '--name-only', 'main')).not.toContain('dist/')
    expect(git('ls-tree', '-r', '--name-only', 'v1.0.0').split('\n')).toEqual(
      expect.arrayContaining(['dist/built.js', 'npm-shrinkwrap.json', 'CHANGELOG.md']),
    )
    expect(readFileSync(join(repository.work, 'CHANGELOG.md'), 'utf8')).toBe(
      changelog('## [1.0.0] - 2026-01-31\n\nFirst release.\n\n### Added\n\n- The beginning.\n'),
    )
    for (const name of ['package.json', 'package-lock.json'])
      expect(JSON.parse(git('show', `main:${name}`))).toMatchObject({ version: '1.0.0' })
    expect(release).toMatchObject({
      version: '1.0.0',
      minNode: '20.0.0',
      expires: '2026-04-01T00:00:00.000Z',
    })
    expect(release.commit).toBe(git('rev-parse', 'v1.0.0^{commit}'))
    expect(existsSync(join(repository.work, 'npm-shrinkwrap.json'))).toBe(false)
    expect(existsSync(join(repository.work, 'dist', 'built.js'))).toBe(true)

    git('push', '--quiet', '--atomic', 'origin', 'main', 'refs/tags/v1.0.0')
    const context = repository.context()
    expect(await runUpdate(context, { dryRun: false })).toMatchObject({ kind: 'applied', to: '1.0.0' })
    expect(await currentRelease(context.layout)).toBe('1.0.0')
  })

  it.each([
    [
      'its build',
      {
        build: () => {
          throw new Error('tsc failed')
        },
      },
      /tsc failed/,
    ],
    ['its signature', { key: '/nowhere/key' }, /nowhere/],
  ])('restores branch and tags when %s fails', async (_, changes, message) => {
    const { buildRelease } = await import('../../scripts/release/build.js')
    const before = repository.git('rev-parse', 'main')
    await expect(buildRelease({ ...planOf(), ...changes })).rejects.toThrow(message)
    expect(repository.git('rev-parse', 'main')).toBe(before)
    expect(repository.git('tag', '--list')).toBe('')
    expect(repository.git('status', '--porcelain')).toBe('')
  })

  it('gives the Helm chart the version of the release', async () => {
    mkdirSync(join(repository.work, 'deploy/helm'), { recursive: true })
    repository.write(
      'deploy/helm/Chart.yaml',
      'apiVersion: v2\nname: targon\nversion: 0.9.0\nappVersion: 0.9.0\n',
    )
    commitAll()
    await makeRelease(planOf('1.0.0', repository.maintainerKey, 'First release.'))
    expect(repository.git('show', 'v1.0.0:deploy/helm/Chart.yaml')).toBe(
      'apiVersion: v2\nname: targon\nversion: 1.0.0\nappVersion: 1.0.0',
    )
  })
})

describe('refusalsOf', () => {
  it('accepts a release that is in order', () => {
    expect(refusalsWithNpm()).toEqual([])
  })

  it.each([
    ['that is not above the current version', '0.9.0', /not above the current version 0\.9\.0/],
    ['that is not X.Y.Z', '1.0', /not a version X\.Y\.Z/],
    ['written with a v', 'v1.0.0', /not a version X\.Y\.Z/],
  ])('refuses a version %s', (_, version, message) => {
    expect(refusals(version)).toEqual([expect.stringMatching(message)])
  })

  it('refuses a version that was already released', () => {
    repository.git('tag', 'v1.0.0')
    expect(refusals()).toEqual([expect.stringContaining('released only once')])
  })

  it('refuses uncommitted changes and untracked files', () => {
    repository.write('left-over', 'x')
    expect(refusals()).toEqual([expect.stringContaining('the work tree has uncommitted changes')])
  })

  it('refuses a branch other than main', () => {
    repository.git('checkout', '--quiet', '-b', 'feature')
    expect(refusals()).toEqual([expect.stringContaining('the branch is feature')])
  })

  it('refuses a checkout that lacks commits of origin', () => {
    commitAll('feat: by another')
    repository.git('push', '--quiet', 'origin', 'main')
    repository.git('reset', '--quiet', '--hard', 'HEAD~1')
    expect(refusals()).toEqual([expect.stringContaining('pull first')])
  })

  it('refuses a lock file that npm ci rejects', () => {
    editJson('package.json', (pkg) => Object.assign(pkg, { dependencies: { 'is-number': '7.0.0' } }))
    commitAll()
    expect(refusalsWithNpm()).toEqual([
      expect.stringMatching(/^npm ci rejects package-lock\.json: .*in sync/),
    ])
  })

  it('refuses a lock file that binds a package to no digest', () => {
    editJson('package.json', (pkg) => Object.assign(pkg, { dependencies: { 'is-number': '7.0.0' } }))
    editJson('package-lock.json', (lock) => {
      const root = { name: 'probe', version: '0.9.0', dependencies: { 'is-number': '7.0.0' } }
      const entry = { version: '7.0.0', license: 'MIT' }
      Object.assign(lock, { packages: { '': root, 'node_modules/is-number': entry } })
    })
    commitAll()
    expect(refusals()).toContain('package-lock.json binds node_modules/is-number to no sha512')
  })

  it('refuses a key that the running release does not pin', () => {
    expect(refusals('1.0.0', repository.strangerKey)).toEqual([
      expect.stringContaining('no machine would install the release'),
    ])
    writeFileSync(join(repository.work, 'deploy', 'allowed_signers'), '# no key yet\n')
    commitAll()
    expect(refusals()).toEqual([expect.stringContaining('no machine would install the release')])
  })

  it('refuses a file that is not a key', () => {
    expect(refusals('1.0.0', '/nowhere/key')).toEqual([expect.stringContaining('not a readable SSH key')])
  })

  it('refuses a release without a changelog entry, unless a note is given', async () => {
    await makeRelease(planOf())
    repository.git('push', '--quiet', '--atomic', 'origin', 'main', 'refs/tags/v1.0.0')
    commitAll('feat: one more')
    expect(refusals('1.0.1')).toEqual([expect.stringContaining('CHANGELOG.md has no entry for 1.0.1')])
    expect(refusals('1.0.1', repository.maintainerKey, 'Certificates renewed.')).toEqual([])
    repository.write('CHANGELOG.md', changelog('### Fixed\n'))
    commitAll()
    expect(refusals('1.0.1')).toEqual([expect.stringContaining('CHANGELOG.md has no entry for 1.0.1')])
  })

  it('accepts an entry that was written for the version, and releases it unchanged', async () => {
    const text = changelog('', '## [1.0.0] - 2026-01-30\n\n- Written by hand.\n')
    repository.write('CHANGELOG.md', text)
    commitAll()
    expect(refusals()).toEqual([])
    await makeRelease(planOf())
    expect(readFileSync(join(repository.work, 'CHANGELOG.md'), 'utf8')).toBe(text)
  })

  it('keeps the entries of earlier versions', async () => {
    const earlier = '\n## [0.9.0] - 2026-01-01\n\n- Earlier.\n'
    repository.write('CHANGELOG.md', changelog('- Newer.\n', earlier))
    commitAll()
    await makeRelease(planOf())
    expect(readFileSync(join(repository.work, 'CHANGELOG.md'), 'utf8')).toBe(
      changelog(`## [1.0.0] - 2026-01-31\n\n- Newer.\n${earlier}`),
    )
  })

  it('lists every reason at once and changes nothing', async () => {
    repository.write('left-over', 'x')
    const before = repository.git('rev-parse', 'HEAD')
    await expect(makeRelease(planOf('0.1.0', repository.strangerKey))).rejects.toThrow(
      /not above[\s\S]*work tree[\s\S]*no machine would install/,
    )
    expect(repository.git('rev-parse', 'HEAD')).toBe(before)
  })
})

describe('npm run release', () => {
  const script = new URL('../../scripts/release.ts', import.meta.url).pathname
  function run(...argv: string[]): { status: number; stderr: string } {
    const tsx = new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url).href
    try {
      execFileSync(process.execPath, ['--import', tsx, script, ...argv], {
        cwd: repository.work,
        encoding: 'utf8',
        stdio: 'pipe',
      })
      return { status: 0, stderr: '' }
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: string }
      return { status, stderr }
    }
  }

  it('prints its usage, and the reasons why it did not release', () => {
    expect(run('1.0.0')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('Usage: npm run release'),
    })
    const refused = run('0.1.0', '--key', repository.maintainerKey)
    expect(refused.status).toBe(1)
    expect(refused.stderr).toBe('Not released:\n0.1.0 is not above the current version 0.9.0\n')
  })
})
