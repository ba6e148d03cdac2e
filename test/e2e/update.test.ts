import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import semver from 'semver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeRelease } from '../../scripts/release.js'
import { inheritableEnvironment } from '../../src/config/index.js'
import { packageVersion } from '../../src/kernel/version.js'
import { runCli, startCli } from '../support/cli-process.js'
import { type DevelopmentParts, startDevelopmentParts } from '../support/development-parts.js'

// this project, released from a clone of itself, installed by its own command and run by its own launcher
const project = fileURLToPath(new URL('../..', import.meta.url))
const installed = packageVersion()
const first = semver.inc(installed, 'patch') ?? ''
const folder = mkdtempSync(join(tmpdir(), 'targon-update-'))
const work = join(folder, 'work')
const remote = join(folder, 'remote.git')
const signers = join(work, 'deploy', 'allowed_signers')
const root = join(folder, 'targon')
const env = {
  ...inheritableEnvironment(),
  HOME: homedir(),
  NO_COLOR: '1',
  // reuses what `npm ci` has downloaded
  npm_config_cache: execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).trim(),
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: work, encoding: 'utf8' }).trim()
}

/** @returns the path of the private key; the public key is written to the file of pinned signers. */
function makeKey(name: string, signersFile: string): string {
  const path = join(folder, name)
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path])
  const pinned = `${name}@example.org namespaces="git" ${readFileSync(`${path}.pub`, 'utf8')}`
  writeFileSync(signersFile, pinned)
  return path
}

async function release(version: string, key: string): Promise<void> {
  const build = () => {
    execFileSync('npm', ['run', '--silent', 'prepare'], { cwd: work, env, stdio: 'pipe' })
  }
  await makeRelease({ folder: work, version, key, now: new Date(), build })
  git('push', '--quiet', '--atomic', 'origin', 'main', `refs/tags/v${version}`)
}

const place = ['--update.url', remote, '--update.signers', signers, '--update.root', root]

/** `targon update` of the built command line. */
const update = (...argv: string[]) => runCli(['update', ...place, ...argv], env)

/** Runs a command of the release in a slot, with the signers that release pins. */
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
  git('remote', 'set-url', 'origin', remote)
  symlinkSync(join(project, 'node_modules'), join(work, 'node_modules'))
  const key = makeKey('maintainer', signers)
  git('commit', '--quiet', '-a', '-m', 'feat: pin the key of the maintainer')
  await release(first, key)
})

describe('targon update', () => {
  it('exits 6 for a release by an unpinned signer and changes nothing', async () => {
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

  it('--check reports the offer and its signer, and exits 10', async () => {
    const { status, stdout } = await update('--check')
    expect(status).toBe(10)
    expect(stdout).toContain(
      `installed  ${installed}\noffered    ${first}\nsigned by  maintainer@example.org`,
    )
    expect(existsSync(join(root, 'releases'))).toBe(false)
  })

  it('--check --json prints the same as one document', async () => {
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

  it('--dry-run prints the plan and installs nothing', async () => {
    const { status, stdout } = await update('--dry-run')
    expect(status).toBe(0)
    expect(stdout).toBe(`Would update ${installed} → ${first}, signed by maintainer@example.org.\n`)
    expect(existsSync(join(root, 'releases'))).toBe(false)
  })

  it('installs a working slot and prints its steps on stderr', async () => {
    const { status, stdout, stderr } = await update()
    expect(status, stderr).toBe(0)
    expect(stderr.trim().split('\n')).toEqual([
      `checking ${remote}`,
      `fetching and verifying v${first}`,
      `plan: ${installed} → ${first}, signed by maintainer@example.org`,
      'unpacking the release',
      'installing dependencies',
      'testing the new release',
    ])
    expect(stdout).toContain(`Updated ${installed} → ${first}`)
    expect(readdirSync(join(root, 'releases'))).toEqual([first])
    expect(existsSync(join(root, 'releases', first, 'node_modules', 'vitest'))).toBe(false)
    expect(inSlot(first, '--version')).toMatch(new RegExp(`^targon/${first} `))
    expect(state()).toMatchObject({ state: 'probation', from: null, to: first })
  })
})

describe('the release on probation', () => {
  const running: ChildProcess[] = []
  let parts: DevelopmentParts
  beforeAll(async () => {
    parts = await startDevelopmentParts()
  })
  afterAll(async () => {
    for (const child of running) killGroup(child)
    await parts?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const launchMiner = (variables: Readonly<Record<string, string>> = {}) =>
    launch('miner', { ...parts.minerVariables, ...variables })

  /** Runs `deploy/launcher.mjs <role> start` of the checkout. */
  function launch(role: string, variables: Readonly<Record<string, string>>) {
    const node = spawn(process.execPath, [join(work, 'deploy', 'launcher.mjs'), role, 'start'], {
      cwd: folder,
      env: { ...env, TARGON_UPDATE_ROOT: root, ...variables },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    })
    running.push(node)
    const exited = once(node, 'exit')
    let log = ''
    /** Resolves when a text has been logged, followed by another. */
    const said = (text: string, then = '') =>
      new Promise<void>((resolve, reject) => {
        const check = () => {
          const at = log.indexOf(text)
          if (at >= 0 && log.includes(then, at)) resolve()
        }
        node.stderr.on('data', check)
        node.once('exit', (code) => reject(new Error(`exited with ${code} before ${text}: ${log}`)))
        check()
      })
    node.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString()
    })
    const stop = async () => {
      node.kill('SIGTERM')
      return (await exited)[0] as number
    }
    const kill = async () => {
      const closed = once(node, 'close')
      node.kill('SIGKILL')
      await closed
    }
    return { said, stop, kill, log: () => log }
  }

  it('is rolled back when its miner does not become healthy', async () => {
    // nothing listens on this port
    const down = { TARGON_MODEL_ENDPOINT: 'http://127.0.0.1:1/v1' }
    // instead of 15 minutes, counted from its start and again from its `ready`
    const miner = launchMiner({ ...down, TARGON_TEST_TRIAL_MS: '12000' })
    await miner.said('"event":"miner-listening"', '"event":"ready"')
    const ended = miner.said('launcher: release', '"event":"miner-listening"')
    await ended
    expect(miner.log()).toContain(
      `launcher: release ${first} did not become healthy; rolled back to the checkout\n`,
    )
    expect(state()).toMatchObject({ state: 'committed', committed: [], bad: [first] })
    expect(existsSync(join(root, 'current'))).toBe(false)
    expect(miner.log()).not.toContain('release-confirmed')
    // a role stops with its launcher, as nothing else would supervise or stop it
    await miner.kill()
    expect(miner.log()).toContain('"reason":"exit of the launcher"')
    expect(miner.log()).toContain('"event":"stopped"')
    const again = await update()
    expect(again.status).toBe(6)
    expect(again.stderr).toContain(`--to ${first} to try it again`)
  })

  it('is committed by a healthy miner started from its slot', async () => {
    expect((await update('--to', first)).status).toBe(0)
    const miner = launchMiner()
    await miner.said('"event":"release-confirmed"')
    expect(miner.log()).toContain('"event":"ready"')
    expect(miner.log()).toContain(`"version":"${first}"`)
    expect(state()).toEqual({ state: 'committed', highest: first, committed: [first], bad: [] })
    expect(await miner.stop()).toBe(0)
    expect(miner.log()).toContain('"event":"draining"')
    expect(miner.log()).not.toContain('forced-exit')
  })

  it('is committed by a hub only once a miner serves a model', async () => {
    expect((await update('--rollback')).status).toBe(0)
    expect((await update('--to', first)).status).toBe(0)
    const hub = launch('hub', parts.hubVariables)
    await hub.said('"event":"ready"')
    expect(state()).toMatchObject({ state: 'probation', to: first })
    const miner = startCli(['miner', 'start'], parts.minerVariables)
    await hub.said('"event":"release-confirmed"')
    expect(hub.log()).toContain(`"version":"${first}"`)
    expect(state()).toMatchObject({ state: 'committed', committed: [first] })
    expect(await hub.stop()).toBe(0)
    expect(hub.log()).toContain('"event":"hub-ended"')
    await miner.stop()
  })

  it('--check exits 0 when it is the newest, by the signers it pins itself', () => {
    const own = ['--update.url', remote, '--update.root', root]
    const report = JSON.parse(inSlot(first, 'update', ...own, '--check', '--json')) as unknown
    expect(report).toEqual({ kind: 'none', installed: first, latest: first, warnings: [], wouldApply: false })
  })
})

/** Kills a process and its children, whatever state a failed test left them in. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // all have ended
  }
}
