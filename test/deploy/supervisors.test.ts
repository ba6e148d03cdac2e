import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { EXIT_STATUS } from '../../src/cli/exit-status.js'
import { settings, variableOf } from '../../src/config/index.js'

const require = createRequire(import.meta.url)
const deploy = (name: string) => new URL(`../../deploy/${name}`, import.meta.url)
/** Restarting does not help after these. */
const FINAL = [EXIT_STATUS.usage, EXIT_STATUS.chain, EXIT_STATUS['hotkey-in-use'], EXIT_STATUS.noRelease]
const DRAIN_MS = settings['drain-timeout'].default * 1000
const VARIABLES = new Set(Object.keys(settings).map((name) => variableOf(name as keyof typeof settings)))

interface Pm2App {
  readonly name: string
  readonly args: string
  readonly kill_timeout: number
  readonly wait_ready: boolean
  readonly stop_exit_codes: readonly number[]
}

describe('the pm2 ecosystem file', () => {
  const { apps } = require(deploy('ecosystem.config.cjs').pathname) as { apps: Pm2App[] }

  it('starts both roles by their command line', () => {
    expect(apps.map((app) => [app.name, app.args])).toEqual([
      ['targon-miner', 'miner start'],
      ['targon-validator', 'validator start'],
    ])
  })

  it('gives the drain its time and does not restart what cannot start', () => {
    for (const app of apps) {
      expect(app.kill_timeout).toBeGreaterThan(DRAIN_MS + 5000)
      expect(app.stop_exit_codes).toEqual(FINAL)
      expect(app.wait_ready).toBe(true)
    }
  })
})

describe.each(['miner', 'validator'])('the systemd unit of the %s', (role) => {
  const lines = readFileSync(deploy(`systemd/targon-${role}.service`), 'utf8').split('\n')
  const valuesOf = (key: string) =>
    lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1))

  it('runs the launcher with the role', () => {
    expect(valuesOf('ExecStart')[0]).toMatch(new RegExp(`launcher\\.mjs ${role} start$`))
  })

  it('restarts, but not what cannot start, and waits for the drain', () => {
    expect(valuesOf('Restart')).toEqual(['always'])
    expect(valuesOf('RestartPreventExitStatus')).toEqual([FINAL.join(' ')])
    expect(Number(valuesOf('TimeoutStopSec')[0]) * 1000).toBeGreaterThan(DRAIN_MS + 5000)
  })

  it('names variables that exist', () => {
    for (const entry of valuesOf('Environment')) expect(VARIABLES).toContain(entry.split('=')[0])
  })
})

describe('the compose file', () => {
  const text = readFileSync(deploy('compose.yaml'), 'utf8')

  it('runs the launcher with each role and waits for the drain', () => {
    expect(text.match(/launcher\.mjs', '(miner|validator)', 'start'/g)).toHaveLength(2)
    const grace = Number(/stop_grace_period: (\d+)s/.exec(text)?.[1])
    expect(grace * 1000).toBeGreaterThan(DRAIN_MS + 5000)
  })

  it('publishes no port and names variables that exist', () => {
    expect(text).not.toMatch(/^\s*ports:/m)
    for (const [, variable] of text.matchAll(/^\s+(TARGON_\w+):/gm)) expect(VARIABLES).toContain(variable)
  })
})
