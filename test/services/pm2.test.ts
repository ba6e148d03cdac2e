import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { confirmRelease, layoutOf, readState, runUpdate } from '../../src/autoupdate/index.js'
import { inheritableEnvironment } from '../../src/config/index.js'
import { packageVersion, systemClock } from '../../src/kernel/index.js'
import { writeDevelopmentWallet } from '../../src/wallet/index.js'
import { type DevelopmentParts, startDevelopmentParts } from '../support/development-parts.js'
import { ReleaseRepository } from '../support/release-repository.js'

// pm2 runs the bundled ecosystem file with the built command line.
const ecosystem = fileURLToPath(new URL('../../deploy/ecosystem.config.cjs', import.meta.url))
const prefix = mkdtempSync(join(tmpdir(), 'targon-pm2-'))
const program = join(prefix, 'node_modules', 'pm2', 'bin', 'pm2')
const strangers = join(prefix, 'strangers')
const env = {
  ...inheritableEnvironment(),
  HOME: homedir(),
  NO_COLOR: '1',
  PM2_HOME: join(prefix, 'home'),
  TARGON_UPDATE_ROOT: join(prefix, 'releases'),
}

/** @returns why pm2 cannot be installed; undefined if it is. */
function installPm2(): string | undefined {
  try {
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--silent']
    execFileSync('npm', ['install', '--prefix', prefix, ...quiet, 'pm2@7.0.4'], { env, timeout: 120_000 })
    return undefined
  } catch (error) {
    return `pm2 could not be installed: ${error instanceof Error ? error.message.split('\n')[0] : error}`
  }
}

const processes = z.array(
  z.object({
    name: z.string(),
    pid: z.number(),
    pm2_env: z.object({
      status: z.string(),
      restart_time: z.number(),
      exit_code: z.number().optional(),
      axm_monitor: z.object({ 'Running version': z.object({ value: z.string() }).optional() }),
      pm_err_log_path: z.string(),
    }),
  }),
)

function pm2(args: readonly string[], variables: Readonly<Record<string, string>> = {}): string {
  const options = { env: { ...env, ...variables }, cwd: prefix, timeout: 150_000, encoding: 'utf8' } as const
  return execFileSync(process.execPath, [program, '--mini-list', ...args], options)
}

function miner() {
  const text = pm2(['jlist'])
  const found = processes
    .parse(JSON.parse(text.slice(text.indexOf('[{'))))
    .find((one) => one.name === 'targon-miner')
  if (!found) throw new Error(`pm2 does not list the miner: ${text}`)
  const { status, restart_time: restarts, exit_code: exitCode, pm_err_log_path: path } = found.pm2_env
  const metrics = found.pm2_env.axm_monitor
  return {
    pid: found.pid,
    status,
    restarts,
    exitCode,
    version: metrics['Running version']?.value,
    log: existsSync(path) ? readFileSync(path, 'utf8') : '',
  }
}

const start = (variables: Readonly<Record<string, string>>) =>
  pm2(['start', ecosystem, '--only', 'targon-miner', '--update-env'], variables)

/** Waits for a text in the log, which pm2 may write only after it has reported a start or an exit. */
const logged = (text: string) => expect.poll(() => miner().log, { interval: 500 }).toContain(text)

/** Ids of the child processes of the launcher. */
const childrenOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)

const skipReason = installPm2()

describe.skipIf(skipReason)(`pm2 with the ecosystem file${skipReason ? ` (${skipReason})` : ''}`, () => {
  let parts: DevelopmentParts
  beforeAll(async () => {
    parts = await startDevelopmentParts()
  })
  afterAll(async () => {
    pm2(['kill'])
    await parts?.stop()
    rmSync(prefix, { recursive: true, force: true })
  }, 60_000)

  it('waits until the miner is ready', { timeout: 180_000 }, async () => {
    start(parts.minerVariables)
    expect(miner()).toMatchObject({ status: 'online', restarts: 0, version: packageVersion() })
    await logged('"event":"miner-listening"')
    await logged('"event":"ready"')
    // pm2 runs the launcher, which runs the role and forwards its "ready" message
    expect(readFileSync(`/proc/${miner().pid}/cmdline`, 'utf8')).toContain('deploy/launcher.mjs')
    expect(childrenOf(miner().pid)).toHaveLength(1)
  })

  it('restarts the miner after a crash', { timeout: 120_000 }, async () => {
    const [role = 0] = childrenOf(miner().pid)
    process.kill(role, 'SIGKILL')
    await expect.poll(() => miner().restarts, { interval: 500 }).toBe(1)
    const ready = () => miner().log.split('"event":"ready"').length - 1
    await expect.poll(ready, { interval: 500 }).toBe(2)
    await expect.poll(() => miner().status, { interval: 500 }).toBe('online')
    expect(childrenOf(miner().pid)).not.toContain(role)
  })

  it('reload drains the miner and waits for the next one', { timeout: 120_000 }, async () => {
    const { pid, restarts } = miner()
    const count = (event: string) => miner().log.split(`"event":"${event}"`).length - 1
    const stopped = count('stopped')
    pm2(['reload', 'targon-miner'])
    await expect.poll(() => count('stopped'), { interval: 500 }).toBe(stopped + 1)
    expect(miner()).toMatchObject({ status: 'online', restarts: restarts + 1 })
    expect(miner().pid).not.toBe(pid)
    await expect.poll(() => count('ready'), { interval: 500 }).toBe(3)
    expect(miner().log).not.toContain('forced-exit')
  })

  it('lets the miner drain within kill_timeout', { timeout: 120_000 }, async () => {
    pm2(['stop', 'targon-miner'])
    await logged('"event":"stopped"')
    const { status, exitCode, log } = miner()
    expect({ status, exitCode }).toEqual({ status: 'stopped', exitCode: 0 })
    expect(log).toContain('"event":"draining"')
    expect(log).not.toContain('forced-exit')
  })

  it('does not restart when a release on probation crashes, because the launcher rolls back', {
    timeout: 180_000,
  }, async () => {
    pm2(['delete', 'targon-miner'])
    const repository = new ReleaseRepository()
    const context = repository.context({ layout: layoutOf(env.TARGON_UPDATE_ROOT) })
    await repository.release('90.0.0')
    await runUpdate(context, { dryRun: false })
    await confirmRelease(context.layout, '90.0.0')
    await repository.release('90.0.1', 'crash')
    await runUpdate(context, { dryRun: false })
    start({})
    expect(miner()).toMatchObject({ status: 'online', restarts: 0, version: '90.0.0' })
    expect(pm2(['describe', 'targon-miner'])).toMatch(/Running version *│ 90\.0\.0/)
    expect(await readState(context.layout)).toMatchObject({ state: 'committed', bad: ['90.0.1'] })
    const ran = readFileSync(join(context.layout.root, 'executed'), 'utf8').trim().split('\n')
    // includes the self-test of each release
    expect(ran).toEqual(['90.0.0', '90.0.1', '90.0.1', '90.0.1', '90.0.1', '90.0.0'])
    rmSync(context.layout.root, { recursive: true, force: true })
    rmSync(repository.folder, { recursive: true, force: true })
  })

  it.each([
    ['2 (a setting is wrong)', 2, { TARGON_AXON_PORT: 'not a port' }],
    [
      '3 (the hotkey is not registered)',
      3,
      { TARGON_WALLET_PATH: strangers, TARGON_WALLET_HOTKEY: 'stranger' },
    ],
  ])('does not restart after exit status %s', { timeout: 120_000 }, async (_, status, changed) => {
    pm2(['delete', 'targon-miner'])
    await writeDevelopmentWallet(strangers, 'localnet', [
      { name: 'stranger', seed: new Uint8Array(32).fill(77) },
    ])
    start({ ...parts.minerVariables, ...changed })
    await expect.poll(() => miner().exitCode, { interval: 500 }).toBe(status)
    // three times the delay after which pm2 would restart it
    await systemClock.sleep(3000)
    expect(miner()).toMatchObject({ exitCode: status, restarts: 0 })
    expect(miner().status).not.toBe('online')
  })
})
