import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { systemClock } from '../../src/clock.js'
import { inheritableEnvironment } from '../../src/config/index.js'
import { type DevelopmentParts, startDevelopmentParts } from '../support/development-parts.js'

// The supervisor of most neurons, really running the shipped ecosystem file on the built command line.
const ecosystem = fileURLToPath(new URL('../../deploy/ecosystem.config.cjs', import.meta.url))
const prefix = mkdtempSync(join(tmpdir(), 'targon-pm2-'))
const program = join(prefix, 'node_modules', 'pm2', 'bin', 'pm2')
const env = {
  ...inheritableEnvironment(),
  HOME: homedir(),
  NO_COLOR: '1',
  PM2_HOME: join(prefix, 'home'),
  TARGON_UPDATE_ROOT: join(prefix, 'releases'),
}

/** @returns why pm2 cannot be had here; undefined when it is installed. */
function installPm2(): string | undefined {
  try {
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--silent']
    execFileSync('npm', ['install', '--prefix', prefix, ...quiet, 'pm2@7.0.4'], { env, timeout: 120_000 })
    return undefined
  } catch (error) {
    return `pm2 cannot be installed: ${error instanceof Error ? error.message.split('\n')[0] : error}`
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
  if (!found) throw new Error(`pm2 runs no miner: ${text}`)
  const { status, restart_time: restarts, exit_code: exitCode, pm_err_log_path: path } = found.pm2_env
  return { status, restarts, exitCode, log: existsSync(path) ? readFileSync(path, 'utf8') : '' }
}

const start = (variables: Readonly<Record<string, string>>) =>
  pm2(['start', ecosystem, '--only', 'targon-miner', '--update-env'], variables)

const obstacle = installPm2()

describe.skipIf(obstacle)(`pm2 with the ecosystem file${obstacle ? ` (${obstacle})` : ''}`, () => {
  let parts: DevelopmentParts
  beforeAll(async () => {
    parts = await startDevelopmentParts()
  })
  afterAll(async () => {
    pm2(['kill'])
    await parts?.stop()
  }, 60_000)

  it('waits until the miner serves', { timeout: 180_000 }, () => {
    start(parts.minerVariables)
    expect(miner()).toMatchObject({ status: 'online', restarts: 0 })
    expect(miner().log).toContain('"miner listening"')
    expect(miner().log).toContain('"ready"')
  })

  it('stops it with a drain, within kill_timeout', { timeout: 60_000 }, () => {
    pm2(['stop', 'targon-miner'])
    const { status, exitCode, log } = miner()
    expect({ status, exitCode }).toEqual({ status: 'stopped', exitCode: 0 })
    expect(log).toContain('"draining"')
    expect(log).toContain('"stopped"')
    expect(log).not.toContain('ending without a drain')
  })

  it('does not restart what exits with a status of stop_exit_codes', { timeout: 120_000 }, async () => {
    pm2(['delete', 'targon-miner'])
    start({ ...parts.minerVariables, TARGON_AXON_PORT: 'not a port' })
    await expect.poll(() => miner().exitCode, { timeout: 60_000, interval: 500 }).toBe(2)
    // nothing may happen: three times the delay after which pm2 would have started it again
    await systemClock.sleep(3000)
    expect(miner()).toMatchObject({ exitCode: 2, restarts: 0 })
    expect(miner().status).not.toBe('online')
  })
})
