import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { currentRelease, layoutOf, readState } from '../../src/autoupdate/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { packageVersion } from '../../src/kernel/version.js'
import { runCli } from '../support/cli-process.js'
import { ReleaseRepository } from '../support/release-repository.js'

// `targon update` between small signed releases, real in everything except what their programs do
const repository = new ReleaseRepository()
const root = join(repository.folder, 'root')
const layout = layoutOf(root)
const env = { PATH: process.env.PATH ?? '', HOME: repository.folder, NO_COLOR: '1' }
const place = ['--update.url', repository.remote, '--update.root', root]
const signers = ['--update.signers', repository.signers]

const update = (...argv: string[]) => runCli(['update', ...place, ...signers, ...argv], env)

/** Runs the launcher until this release is committed. */
async function launchUntilCommitted(version: string): Promise<void> {
  const child = spawn(process.execPath, [layout.launcher, 'validator', 'start'], { stdio: 'ignore' })
  const exited = once(child, 'exit')
  for (;;) {
    const state = await readState(layout)
    if (state.state === 'committed' && state.committed.includes(version)) break
    if (child.exitCode !== null) throw new Error(`the launcher exited with ${child.exitCode}`)
    await systemClock.sleep(25)
  }
  child.kill('SIGTERM')
  await exited
}

beforeAll(async () => {
  await repository.release('90.0.0')
})
afterAll(() => rmSync(repository.folder, { recursive: true, force: true }))

it('fails without a pinned key before contacting the source', async () => {
  const run = await runCli(['update', '--update.url', '/nowhere.git', '--update.root', root, '--json'], env)
  expect(run.status).toBe(6)
  expect(JSON.parse(run.stdout)).toMatchObject({
    error: { code: 'UPDATE_NO_SIGNERS', exitStatus: 6, next: expect.stringContaining('--update.signers') },
  })
})

it.each(['9', 'latest', '../1.0.0', '1.0.0 --upload-pack=x', '--check'])(
  'rejects --to %j as a usage error',
  async (text) => {
    const { status, stdout } = await update('--to', text)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  },
)

it('--to installs a given version; --json prints only its document', async () => {
  await repository.release('90.0.1')
  const { status, stdout, stderr } = await update('--to', 'v90.0.0', '--json')
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({
    kind: 'applied',
    to: '90.0.0',
    signedBy: 'maintainer@example.org',
    warnings: [],
  })
  expect(await currentRelease(layout)).toBe('90.0.0')
})

it('installs no other release during probation', async () => {
  const { status, stderr } = await update()
  expect(status).toBe(6)
  expect(stderr).toContain('Error [UPDATE_ON_TRIAL]: Release 90.0.0 is still on probation.')
  await launchUntilCommitted('90.0.0')
})

it('--to an installed version does nothing and says so', async () => {
  const { status, stdout } = await update('--to', '90.0.0')
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: '90.0.0 is already installed (latest offered: 90.0.1).\n',
  })
  expect((await readState(layout)).state).toBe('committed')
})

it('--check exits 10 when an update is available and 0 otherwise', async () => {
  expect((await update('--check')).status).toBe(10)
  expect((await update()).status).toBe(0)
  await launchUntilCommitted('90.0.1')
  const { status, stdout } = await update('--check')
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: 'installed  90.0.1\noffered    90.0.1; nothing to do\n',
  })
})

it('--rollback returns to the previous release, and the one left is not reinstalled unless requested', async () => {
  const back = await update('--rollback', '--json')
  expect({ status: back.status, stderr: back.stderr }).toEqual({ status: 0, stderr: '' })
  expect(JSON.parse(back.stdout)).toEqual({ kind: 'rolled-back', from: '90.0.1', to: '90.0.0' })
  expect(await readState(layout)).toMatchObject({ state: 'committed', highest: '90.0.1', bad: ['90.0.1'] })
  const again = await update()
  expect(again.status).toBe(6)
  expect(again.stderr).toContain('--to 90.0.1 to try it again')
})

it('--to a newer installed version starts its probation without contacting the source', async () => {
  const argv = ['update', '--update.url', '/nowhere.git', '--update.root', root, ...signers]
  const { status, stdout } = await runCli([...argv, '--to', '90.0.1'], env)
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: 'Switched from 90.0.0 to 90.0.1; it runs on probation from the next start.\n',
  })
  expect(await readState(layout)).toMatchObject({ state: 'probation', from: '90.0.0', to: '90.0.1' })
})

it('--rollback ends a probation', async () => {
  const { status, stdout } = await update('--rollback')
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: 'Switched from 90.0.1 to 90.0.0; it runs from the next start.\n',
  })
  expect(await currentRelease(layout)).toBe('90.0.0')
})

it('--rollback without an older release returns to the checkout', async () => {
  const { status, stdout } = await update('--rollback')
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^Switched from 90\.0\.0 to the checkout \//),
  })
  expect(await currentRelease(layout)).toBeUndefined()
})

it('--rollback from the checkout fails and lists the committed ones', async () => {
  const { status, stderr } = await update('--rollback')
  expect(status).toBe(6)
  expect(stderr).toContain('UPDATE_NO_ROLLBACK')
  expect(stderr).toContain('Versions committed here: 90.0.0, 90.0.1.')
})

it('rejects a version older than any that ran here, even by name', async () => {
  const { status, stderr } = await update('--to', '0.0.1')
  expect(status).toBe(6)
  expect(stderr).toContain('(downgrade): 0.0.1 is below 90.0.1')
})

it('has executed signed releases only', () => {
  const ran = new Set(readFileSync(join(root, 'executed'), 'utf8').trim().split('\n'))
  expect([...ran].sort()).toEqual(['90.0.0', '90.0.1'])
})

describe('--update.source npm', () => {
  let registry: Server
  let variables: Record<string, string>
  const prefix = join(repository.folder, 'prefix')

  /** A package registry with two versions of this package, one of them tagged `latest`. */
  beforeAll(async () => {
    const folder = join(repository.folder, 'package')
    mkdirSync(folder)
    const versions = ['0.0.1', '90.0.0']
    const tarballs = new Map<string, Buffer>()
    for (const version of versions) {
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'targon', version }))
      execFileSync('npm', ['pack', '--silent'], { cwd: folder, env })
      tarballs.set(version, readFileSync(join(folder, `targon-${version}.tgz`)))
    }
    let latest = '90.0.0'
    registry = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://registry')
      const base = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`
      if (pathname.startsWith('/latest/')) latest = pathname.slice('/latest/'.length)
      const tarball = /^\/targon\/-\/targon-(.+)\.tgz$/.exec(pathname)?.[1]
      if (tarball) return void response.end(tarballs.get(tarball))
      if (pathname !== '/targon') return void response.writeHead(404).end('{}')
      const entries = versions.map((version) => {
        const integrity = `sha512-${createHash('sha512')
          .update(tarballs.get(version) ?? '')
          .digest('base64')}`
        const dist = { tarball: `${base}/targon/-/targon-${version}.tgz`, integrity }
        return [version, { name: 'targon', version, dist }]
      })
      const document = { name: 'targon', 'dist-tags': { latest }, versions: Object.fromEntries(entries) }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(document))
    })
    registry.listen(0, '127.0.0.1')
    await once(registry, 'listening')
    variables = {
      ...env,
      npm_config_registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}`,
      npm_config_prefix: prefix,
      npm_config_cache: join(repository.folder, 'npm-cache'),
    }
  })
  afterAll(() => registry?.close())

  const npm = (...argv: string[]) => runCli(['update', '--update.source', 'npm', ...argv], variables)
  const command = 'npm install --global --ignore-scripts targon@90.0.0'

  it('reports the published version and prints the exact command', async () => {
    const check = await npm('--check')
    expect(check.status).toBe(10)
    expect(check.stdout).toBe(`installed  ${packageVersion()}\noffered    90.0.0\n`)
    const plain = await npm()
    expect({ status: plain.status, stdout: plain.stdout }).toEqual({ status: 0, stdout: `${command}\n` })
    expect(existsSync(prefix)).toBe(false)
  })

  it('runs that command with --yes', async () => {
    const { status, stdout } = await npm('--yes', '--json')
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ installed: packageVersion(), version: '90.0.0', command, run: true })
    const installed = join(prefix, 'lib', 'node_modules', 'targon', 'package.json')
    expect(JSON.parse(readFileSync(installed, 'utf8'))).toMatchObject({ version: '90.0.0' })
  })

  it('offers nothing when the registry has an older version, and rejects an invalid one', async () => {
    await fetch(`${variables.npm_config_registry}/latest/0.0.1`)
    variables.npm_config_cache = join(repository.folder, 'another-cache')
    const { status, stdout } = await npm('--check', '--json')
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ version: '0.0.1', available: false })
    expect((await npm('--to', 'https://evil.example/x.tgz')).status).toBe(2)
  })
})
