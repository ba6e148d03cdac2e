import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import semver from 'semver'
import { beforeAll, describe, expect, it } from 'vitest'
import { makeRelease } from '../../scripts/release.js'
import { inheritableEnvironment } from '../../src/config/index.js'
import { packageVersion } from '../../src/version.js'
import { runCli } from '../support/cli-process.js'

// This very project, released from a clone of itself and installed by its own command.
const project = fileURLToPath(new URL('../..', import.meta.url))
const installed = packageVersion()
const first = semver.inc(installed, 'patch') ?? ''
const folder = mkdtempSync(join(tmpdir(), 'targon-update-'))
const work = join(folder, 'work')
const remote = join(folder, 'remote.git')
const signers = join(folder, 'allowed_signers')
const root = join(folder, 'targon')
const env = { ...inheritableEnvironment(), HOME: homedir(), NO_COLOR: '1' }

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: work, encoding: 'utf8' }).trim()
}

/** @returns the private key; its public half is written as a file of pinned signers. */
function makeKey(name: string, signersFile: string): string {
  const path = join(folder, name)
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path])
  const pinned = `${name}@example.org namespaces="git" ${readFileSync(`${path}.pub`, 'utf8')}`
  writeFileSync(signersFile, pinned)
  return path
}

const key = makeKey('maintainer', signers)

async function release(version: string): Promise<void> {
  const build = () => execFileSync('npm', ['run', '--silent', 'prepare'], { cwd: work, env, stdio: 'pipe' })
  await makeRelease({ folder: work, version, key, now: new Date(), build })
  git('push', '--quiet', remote, 'HEAD:main', `refs/tags/v${version}`)
}

const place = ['--update.url', remote, '--update.signers', signers, '--update.root', root]

/** `targon update` of the built command line. */
const update = (...argv: string[]) => runCli(['update', ...place, ...argv], env)

/** A command of the release in a slot. */
function inSlot(version: string, ...argv: string[]): string {
  const script = join(root, 'releases', version, 'bin', 'run.js')
  return execFileSync(process.execPath, [script, ...argv], { cwd: folder, env, encoding: 'utf8' })
}

const state = () => JSON.parse(readFileSync(join(root, 'update.json'), 'utf8')) as Record<string, unknown>

beforeAll(async () => {
  execFileSync('git', ['clone', '--quiet', '--no-tags', project, work])
  git('checkout', '--quiet', '-B', 'main')
  git('config', 'user.name', 'Maintainer')
  git('config', 'user.email', 'maintainer@example.org')
  writeFileSync(join(work, '.git', 'info', 'exclude'), 'node_modules\n')
  execFileSync('git', ['init', '--quiet', '--bare', '-b', 'main', remote])
  execFileSync('git', ['--git-dir', remote, 'config', 'receive.shallowUpdate', 'true'])
  symlinkSync(join(project, 'node_modules'), join(work, 'node_modules'))
  await release(first)
}, 240_000)

describe('targon update, as its user types it', () => {
  it('refuses a release of someone not pinned with status 6, and changes nothing', async () => {
    const strangers = join(folder, 'strangers')
    makeKey('stranger', strangers)
    const { status, stdout, stderr } = await runCli(
      ['update', '--update.url', remote, '--update.signers', strangers, '--update.root', root],
      env,
    )
    expect({ status, stdout }).toEqual({ status: 6, stdout: '' })
    expect(stderr).toMatch(/Error \[UPDATE_REFUSED\]: .*signature.*not signed by a pinned key/)
    for (const name of ['current', 'releases', 'update.json', 'launcher.mjs'])
      expect(existsSync(join(root, name)), name).toBe(false)
  })

  it('--check tells what is offered and by whom, and exits 10', async () => {
    const { status, stdout } = await update('--check')
    expect(status).toBe(10)
    expect(stdout).toContain(
      `installed  ${installed}\noffered    ${first}\nsigned by  maintainer@example.org`,
    )
    expect(existsSync(join(root, 'releases'))).toBe(false)
  })

  it('--check --json says the same to a program, and nothing else', async () => {
    const { status, stdout, stderr } = await update('--check', '--json')
    expect({ status, stderr }).toEqual({ status: 10, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'available',
      installed,
      version: first,
      signedBy: 'maintainer@example.org',
      wouldApply: true,
    })
  })

  it('--dry-run plans and installs nothing', async () => {
    const { status, stdout } = await update('--dry-run')
    expect(status).toBe(0)
    expect(stdout).toBe(`Would update ${installed} → ${first}, signed by maintainer@example.org.\n`)
    expect(existsSync(join(root, 'releases'))).toBe(false)
  })

  it('installs a slot that runs, and tells its steps on stderr', { timeout: 400_000 }, async () => {
    const { status, stdout, stderr } = await update()
    expect(status, stderr).toBe(0)
    expect(stderr.trim().split('\n')).toEqual([
      `asking ${remote}`,
      `fetching and verifying v${first}`,
      'unpacking the release',
      'installing its dependencies',
      'testing the new release',
    ])
    expect(stdout).toContain(`Updated ${installed} → ${first}`)
    expect(readdirSync(join(root, 'releases'))).toEqual([first])
    expect(existsSync(join(root, 'releases', first, 'node_modules', 'vitest'))).toBe(false)
    expect(inSlot(first, '--version')).toMatch(new RegExp(`^targon/${first} `))
    expect(state()).toMatchObject({ state: 'probation', from: null, to: first })
  })
})
