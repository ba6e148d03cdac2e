import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { EXIT_STATUS } from '../../src/cli/exit-status.js'
import { defaultFor, settings, variableOf } from '../../src/config/index.js'

const require = createRequire(import.meta.url)
const deploy = (name: string) => new URL(`../../deploy/${name}`, import.meta.url)
/** After these statuses a restart does not help. */
const FINAL = [EXIT_STATUS.usage, EXIT_STATUS.chain, EXIT_STATUS['hotkey-in-use'], EXIT_STATUS.noRelease]
const DRAIN_MS = settings['drain-timeout'].default * 1000
const VARIABLES = new Set(Object.keys(settings).map((name) => variableOf(name as keyof typeof settings)))

const canVerifyUnits = spawnSync('systemd-analyze', ['--version']).status === 0

const roles = ['miner', 'validator', 'hub'] as const

interface Pm2App {
  readonly name: string
  readonly args: string
  readonly script: string
  readonly env: Readonly<Record<string, string>>
  readonly kill_timeout: number
  readonly wait_ready: boolean
  readonly stop_exit_codes: readonly number[]
}

it('the launcher does not count faults of the environment as failed starts', () => {
  const text = readFileSync(deploy('launcher.mjs'), 'utf8')
  const listed = /MAY_PASS = new Set\(\[(.*)\]\)/.exec(text)?.[1]?.split(', ').map(Number)
  const { chain, upstream, unreachable, 'hotkey-in-use': inUse } = EXIT_STATUS
  expect(listed).toEqual([chain, upstream, inUse, unreachable])
  expect(FINAL).not.toContain(unreachable)
})

describe('the pm2 ecosystem file', () => {
  const { apps } = require(deploy('ecosystem.config.cjs').pathname) as { apps: Pm2App[] }

  it('starts all roles', () => {
    expect(apps.map((app) => [app.name, app.args])).toEqual([
      ['targon-miner', 'miner start'],
      ['targon-validator', 'validator start'],
      ['targon-hub', 'hub start'],
    ])
  })

  it('runs the launcher of this checkout', () => {
    for (const { script } of apps) {
      expect(script).toBe(deploy('launcher.mjs').pathname)
      expect(existsSync(script)).toBe(true)
    }
  })

  it('gives each role its own update root', () => {
    const roots = apps.map(({ env }) => env.TARGON_UPDATE_ROOT)
    if (process.env.TARGON_UPDATE_ROOT === undefined)
      expect(roots).toEqual(roles.map((role) => join(homedir(), '.targon', role)))
  })

  it('waits for the drain and does not restart after a final status', () => {
    for (const app of apps) {
      expect(app.kill_timeout).toBeGreaterThan(DRAIN_MS + 5000)
      expect(app.stop_exit_codes).toEqual(FINAL)
      expect(app.wait_ready).toBe(true)
    }
  })
})

/** Sections of a unit file with their values; a key may repeat. Throws for a line it cannot parse. */
function parseUnit(text: string): Map<string, Map<string, string[]>> {
  const sections = new Map<string, Map<string, string[]>>()
  let section: Map<string, string[]> | undefined
  for (const line of text.split('\n').filter((one) => one.trim() !== '' && !/^\s*[#;]/.test(one))) {
    const [, name] = /^\[(\w+)\]$/.exec(line) ?? []
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? []
    if (name !== undefined) {
      section = new Map()
      sections.set(name, section)
    } else if (key === undefined || value === undefined || !section)
      throw new Error(`cannot parse unit file line: ${line}`)
    else section.set(key, [...(section.get(key) ?? []), value])
  }
  return sections
}

describe.each(roles)('the systemd unit of the %s', (role) => {
  const path = deploy(`systemd/targon-${role}.service`)
  const service = parseUnit(readFileSync(path, 'utf8')).get('Service')
  const valuesOf = (key: string) => service?.get(key) ?? []

  it('runs the launcher of the checkout with the role', () => {
    expect(valuesOf('ExecStart')).toEqual([`/usr/bin/env node /opt/targon/deploy/launcher.mjs ${role} start`])
  })

  it('restarts except after a final status, and waits for the drain', () => {
    expect(valuesOf('Restart')).toEqual(['always'])
    expect(valuesOf('RestartPreventExitStatus')).toEqual([FINAL.join(' ')])
    expect(Number(valuesOf('TimeoutStopSec')[0]) * 1000).toBeGreaterThan(DRAIN_MS + 5000)
  })

  it('reads its settings again on reload, if it can', () => {
    expect(valuesOf('ExecReload')).toEqual(role === 'miner' ? ['/usr/bin/env kill -HUP $MAINPID'] : [])
  })

  it('signals the launcher first and kills the remaining processes once it has exited', () => {
    expect(valuesOf('KillMode')).toEqual(['mixed'])
  })

  it('sets existing variables and writes only to its state directory', () => {
    const variables = valuesOf('Environment').map((entry) => entry.split('='))
    for (const [name, value] of variables) {
      expect(VARIABLES).toContain(name)
      expect(value).toMatch(new RegExp(`^/var/lib/targon-${role}/`))
    }
    expect(valuesOf('StateDirectory')).toEqual([`targon-${role}`])
    expect(valuesOf('ProtectSystem')).toEqual(['strict'])
  })

  it.skipIf(!canVerifyUnits)('is accepted by systemd itself (needs systemd-analyze)', () => {
    const said = spawnSync('systemd-analyze', ['verify', '--man=no', path.pathname], { encoding: 'utf8' })
    const own = said.stderr.split('\n').filter((line) => line.includes('targon-'))
    expect({ status: said.status, own }).toEqual({ status: 0, own: [] })
  })
})

const neuron = z.strictObject({
  image: z.string(),
  build: z.strictObject({
    context: z.literal('..'),
    dockerfile: z.string(),
    args: z.record(z.string(), z.string()),
  }),
  init: z.literal(true),
  user: z.string(),
  read_only: z.literal(true),
  tmpfs: z.tuple([z.literal('/tmp')]),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  restart: z.literal('unless-stopped'),
  stop_signal: z.literal('SIGTERM'),
  stop_grace_period: z.string().regex(/^\d+s$/),
  network_mode: z.literal('host'),
  env_file: z.string(),
  command: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
  profiles: z.tuple([z.literal('hub')]).optional(),
  volumes: z.array(z.string()),
})

describe.each(roles)('the compose file’s %s', (role) => {
  const document: unknown = parse(readFileSync(deploy('compose.yaml'), 'utf8'), { merge: true })
  const { services } = z
    .object({ services: z.object({ miner: neuron, validator: neuron, hub: neuron }) })
    .parse(document)
  const service = services[role]

  it('builds the image with the launcher, starts the role and waits for the drain', () => {
    expect(service.build).toMatchObject({ dockerfile: 'deploy/Dockerfile', args: { START: 'launcher' } })
    expect(service.command).toEqual([role, 'start'])
    expect(Number.parseInt(service.stop_grace_period, 10) * 1000).toBeGreaterThan(DRAIN_MS + 5000)
  })

  it('runs as the owner of the keys and writes only to its own folder', () => {
    expect(service.user).toMatch(/^\$\{UID:-1000\}:\$\{GID:-1000\}$/)
    const mounts = service.volumes.map((volume) => volume.split(':'))
    const writable = mounts.filter(([, , mode]) => mode !== 'ro')
    expect(writable).toEqual([[`\${HOME}/.targon/${role}`, '/state']])
  })

  it('sets existing variables, among them the port that its health check asks', () => {
    const names = Object.keys(service.environment)
    for (const name of names) expect(VARIABLES).toContain(name)
    const port = defaultFor(settings['metrics.port'], role)
    expect(service.environment.TARGON_METRICS_PORT).toBe(`\${${role.toUpperCase()}_METRICS_PORT:-${port}}`)
  })
})

it('the image sets existing variables, below its state folder', () => {
  const lines = /^ENV (?:.*\\\n)*.*$/m.exec(readFileSync(deploy('Dockerfile'), 'utf8'))?.[0] ?? ''
  const pairs = [...lines.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value] as const)
  expect(pairs.length).toBe(4)
  for (const [name, value] of pairs) {
    if (name !== 'HOME') expect(VARIABLES).toContain(name)
    if (name !== 'TARGON_WALLET_PATH') expect(value).toMatch(/^\/state(\/|$)/)
  }
})

it('the builder of the image is sent every file that the build names', () => {
  const root = new URL('../../', import.meta.url)
  const { scripts } = z
    .object({ scripts: z.object({ build: z.string() }) })
    .parse(JSON.parse(readFileSync(new URL('package.json', root), 'utf8')))
  const named = [...scripts.build.matchAll(/tsconfig[\w.]*\.json|src\/[\w/]+/g)].map(([name]) => name)
  expect(named).toContain('tsconfig.build.json')
  const allowed = readFileSync(new URL('.dockerignore', root), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => new RegExp(`^${line.slice(1).replaceAll('.', '\\.').replaceAll('*', '[^/]*')}(/|$)`))
  expect(named.filter((name) => !allowed.some((pattern) => pattern.test(name)))).toEqual([])
})
