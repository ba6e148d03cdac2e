import { execFile, spawnSync } from 'node:child_process'
import { chownSync, cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { packageVersion } from '../../src/kernel/index.js'
import { copyCheckout } from '../support/checkout-copy.js'
import { type DevelopmentParts, startDevelopmentParts } from '../support/development-parts.js'
import { findCompose, runCompose } from '../support/docker-compose.js'
import { startDockerDaemon } from '../support/docker-daemon.js'
import { freePort } from '../support/free-port.js'
import { importHostImage } from '../support/host-image.js'
import { temporaryFolder } from '../support/temporary-folder.js'

// deploy/Dockerfile and deploy/compose.yaml with a real Docker daemon and the package registry; only the images that cannot be
// pulled everywhere (the base, Redis, Prometheus) are made of this machine's programs.
const checkout = fileURLToPath(new URL('../..', import.meta.url))
const daemon = existsSync(join(checkout, 'dist')) ? await startDockerDaemon() : 'run npm run build first'
if (typeof daemon === 'string') console.warn(`image.test.ts is skipped: ${daemon}.`)
const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0
const hasCompose = findCompose() !== undefined
if (!hasCompose)
  console.warn('The compose file of image.test.ts is skipped: Docker Compose is not installed.')

/** The user of the image, and one that it does not know. */
const OWN = 10_001
const UNKNOWN = 54_321
const SECRET = 'planted-secret-1'
const CONTAINER_MS = 120_000

const execute = promisify(execFile)
const folder = temporaryFolder('image')
const context = join(folder, 'checkout')
let parts: DevelopmentParts

describe.skipIf(typeof daemon === 'string')('the image', { timeout: 300_000 }, () => {
  beforeAll(async () => {
    copyCheckout(context)
    for (const path of ['.env', 'deploy/.env', 'wallet.log']) writeFileSync(join(context, path), SECRET)
    importHostImage(real().docker, 'base', ['git', 'ssh-keygen'])
    await build('plain')
    await build('launcher')
    parts = await startDevelopmentParts()
  }, 900_000)
  afterAll(async () => {
    await parts?.stop()
    if (typeof daemon !== 'string') await daemon.close()
  }, 300_000)

  it('runs the command without a network, as any user, on a read-only root', () => {
    for (const user of [OWN, UNKNOWN].map((id) => `${id}:${id}`)) {
      const options = ['--rm', '--read-only', '--network', 'none', '--user', user]
      expect(real().docker('run', ...options, 'targon:plain', '--version')).toContain(
        `targon/${packageVersion()}`,
      )
    }
  })

  it('has a user with an entry, who is not root', () => {
    expect(real().docker('run', '--rm', '--entrypoint', 'id', 'targon:plain')).toMatch(
      `uid=${OWN}(targon) gid=${OWN}(targon)`,
    )
  })

  it('lists its parts, without those that only build it', () => {
    const read = (path: string) =>
      real().docker('run', '--rm', '--entrypoint', 'cat', 'targon:plain', `/opt/targon/${path}`)
    const { spdxVersion, packages } = sbom.parse(JSON.parse(read('sbom.spdx.json')))
    expect(spdxVersion).toBe('SPDX-2.3')
    const names = packages.map(({ name }) => name)
    const installed = lock.parse(JSON.parse(read('node_modules/.package-lock.json')))
    const installedNames = Object.keys(installed.packages).map((path) => path.split('node_modules/').pop())
    expect(installedNames).toEqual(expect.arrayContaining(['fastify', '@polkadot/types']))
    expect(names).toEqual(expect.arrayContaining(['targon', ...installedNames]))
    expect([...names, ...installedNames]).not.toContain('vitest')
  })

  it('contains no settings, keys, logs, sources or history of the checkout', () => {
    const list = (path: string) =>
      real().docker('run', '--rm', '--entrypoint', 'ls', 'targon:plain', '-A', path).trim().split('\n').sort()
    const documents = [
      '.env.example',
      'CHANGELOG.md',
      'LICENSE',
      'bin',
      'deploy',
      'dist',
      'docs',
      'models.txt',
    ]
    const parts = [
      'node_modules',
      'oclif.manifest.json',
      'package-lock.json',
      'package.json',
      'sbom.spdx.json',
    ]
    expect(list('/opt/targon')).toEqual([...documents, ...parts].sort())
    expect(list('/opt/targon/deploy')).not.toContain('.env')
  })

  it('says why it is not healthy', async () => {
    const run = ['run', '--rm', '--entrypoint', 'node', 'targon:plain', '/opt/targon/deploy/healthcheck.mjs']
    await expect(docker(...run)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^127\.0\.0\.1:9100\/livez: .*ECONNREFUSED.*\n127\.0\.0\.1:9101\/livez: .*\n127\.0\.0\.1:9102\/livez: /,
      ),
    })
  })

  it('is not built to start something else', async () => {
    // one builder prints what a step says on standard output, another on standard error
    const { stdout, stderr } = await build('launch').catch((error: unknown) => printed.parse(error))
    expect(`${stdout}${stderr}`).toContain('START is launch; use plain or launcher.')
  })

  it.each([
    ['plain', OWN],
    ['launcher', UNKNOWN],
  ] as const)(
    '%s becomes healthy as user %i on a read-only root, and drains on docker stop',
    async (start, user) => {
      const name = `miner-${start}`
      const variables = { ...placeless(parts.minerVariables), TARGON_METRICS_PORT: String(await freePort()) }
      const flags = [
        ...[
          '--name',
          name,
          '--network',
          'host',
          '--read-only',
          '--tmpfs',
          '/tmp',
          '--user',
          `${user}:${user}`,
        ],
        ...['--health-interval', '1s', '--volume', `${walletsOf(user)}:/wallets:ro`, '--cap-drop', 'ALL'],
        ...Object.entries(variables).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
      ]
      real().docker('run', '--detach', ...flags, `targon:${start}`, 'miner', 'start')
      await expect.poll(() => healthOf(name), { timeout: CONTAINER_MS, interval: 500 }).toBe('healthy')
      await docker('stop', '--time', '40', name)
      const { stderr: log } = await docker('logs', name)
      expect(log).toContain('"event":"draining"')
      expect(log).toContain('"event":"stopped"')
      expect(real().docker('inspect', '--format', '{{.State.ExitCode}}', name).trim()).toBe('0')
    },
  )

  describe.skipIf(!hasCompose)('in the compose file', () => {
    it('is valid with all profiles', async () => {
      const { stdout } = await compose(
        {},
        '--profile',
        'redis',
        '--profile',
        'postgres',
        '--profile',
        'monitoring',
        '--profile',
        'hub',
        'config',
      )
      for (const image of ['targon:launcher', 'redis:', 'postgres:', 'prom/prometheus:'])
        expect(stdout).toContain(image)
      expect(stdout).toContain('.targon/hub')
    })

    it.skipIf(!hasPrometheus)(
      'starts Prometheus with the rules of the checkout (needs prometheus)',
      async () => {
        importHostImage(real().docker, 'prometheus-here', ['prometheus'], ['ENTRYPOINT ["prometheus"]'])
        const port = await freePort()
        const variables = { PROMETHEUS_IMAGE: 'prometheus-here', PROMETHEUS_PORT: String(port) }
        await compose(variables, '--profile', 'monitoring', 'up', '-d', 'prometheus')
        const groups = async () => await (await fetch(`http://127.0.0.1:${port}/api/v1/rules`)).text()
        await expect
          .poll(() => groups().catch(String), { timeout: CONTAINER_MS, interval: 500 })
          .toContain('"alerting"')
        await compose(variables, '--profile', 'monitoring', 'down')
      },
    )

    it('runs a miner with its replay guard, a validator and a hub', async () => {
      importHostImage(real().docker, 'redis-here', ['redis-server', 'redis-cli'])
      const home = join(folder, 'home')
      for (const role of ['miner', 'validator', 'hub']) {
        mkdirSync(join(home, '.targon', role), { recursive: true })
        chownSync(join(home, '.targon', role), UNKNOWN, UNKNOWN)
      }
      mkdirSync(join(home, '.bittensor'), { recursive: true })
      cpSync(walletsOf(UNKNOWN), join(home, '.bittensor/wallets'), { recursive: true })
      own(join(home, '.bittensor/wallets'), UNKNOWN)
      const [redis, miner, validator, hub] = [
        await freePort(),
        await freePort(),
        await freePort(),
        await freePort(),
      ]
      const ports = {
        ...{ REDIS_PORT: redis, MINER_METRICS_PORT: miner },
        ...{ VALIDATOR_METRICS_PORT: validator, HUB_METRICS_PORT: hub },
      }
      const variables = {
        ...Object.fromEntries(Object.entries(ports).map(([key, port]) => [key, String(port)])),
        ...{ HOME: home, UID: String(UNKNOWN), GID: String(UNKNOWN), REDIS_IMAGE: 'redis-here' },
      }
      writeSettings({
        ...placeless(parts.minerVariables),
        TARGON_REPLAY_REDIS_URL: `redis://127.0.0.1:${redis}`,
      })
      await compose(variables, '--profile', 'redis', 'up', '-d', 'miner', 'redis')
      await becomesReady(miner)
      writeFileSync(join(home, '.targon/validator/models.txt'), parts.models)
      writeSettings(placeless(parts.validatorVariables))
      await compose(variables, 'up', '-d', 'validator')
      await becomesReady(validator)
      writeSettings(placeless(parts.hubVariables))
      await compose(variables, 'up', '-d', 'hub')
      // the miner runs, so that a model is served
      await becomesReady(hub)
      const created = await compose(
        variables,
        ...[
          '--profile',
          'hub',
          'exec',
          '-T',
          'hub',
          'node',
          '/opt/targon/bin/run.js',
          'hub',
          'keys',
          'create',
          'alice',
        ],
      )
      expect(created.stdout.trim().length).toBeGreaterThan(20)
      expect(existsSync(join(home, '.targon/miner/neurons'))).toBe(true)
      await compose(variables, '--profile', 'redis', '--profile', 'hub', 'down')
      const ended = real().docker('ps', '-aq', '--filter', 'label=com.docker.compose.service=miner')
      expect(ended).toBe('')
    })
  })
})

const printed = z.object({ stdout: z.string(), stderr: z.string() })

const sbom = z.object({
  spdxVersion: z.string(),
  packages: z.array(z.object({ name: z.string() })),
})
const lock = z.object({ packages: z.record(z.string(), z.unknown()) })

function real() {
  if (typeof daemon === 'string') throw new Error(daemon)
  return daemon
}

const docker = (...args: string[]) =>
  execute('docker', ['--host', `unix://${real().socketPath}`, ...args], {
    timeout: 800_000,
    maxBuffer: 1 << 26,
  })

function build(start: string) {
  const file = join(context, 'deploy/Dockerfile')
  const options = ['--network', 'host', '--file', file, '--tag', `targon:${start}`]
  return docker('build', ...options, '--build-arg', 'BASE=base', '--build-arg', `START=${start}`, context)
}

const healthOf = (name: string) =>
  real()
    .docker('inspect', '--format', '{{if .State.Running}}{{.State.Health.Status}}{{else}}ended{{end}}', name)
    .trim()

/** Settings without the places on this machine, for which the image has its own; with a history in SQLite. */
function placeless(variables: Readonly<Record<string, string>>): Record<string, string> {
  const places = ['WALLET_PATH', 'LOGGING_LOGGING_DIR', 'METRICS_PORT', 'MODELS_FILE', 'HISTORY'].map(
    (name) => `TARGON_${name}`,
  )
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !places.includes(name)))
}

/** A copy of the wallets that belongs to this user. */
function walletsOf(user: number): string {
  const copy = join(folder, `wallets-${user}`)
  if (existsSync(copy)) return copy
  cpSync(parts.minerVariables.TARGON_WALLET_PATH ?? '', copy, { recursive: true })
  own(copy, user)
  return copy
}

function own(path: string, user: number): void {
  chownSync(path, user, user)
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' }))
    chownSync(join(path, name), user, user)
}

const writeSettings = (variables: Record<string, string>) =>
  writeFileSync(
    join(context, '.env'),
    Object.entries(variables)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  )

async function becomesReady(port: number): Promise<void> {
  const ask = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status
  await expect.poll(() => ask().catch(String), { timeout: CONTAINER_MS, interval: 500 }).toBe(200)
}

const compose = (variables: Readonly<Record<string, string>>, ...args: string[]) => {
  const place = { file: join(context, 'deploy/compose.yaml'), socketPath: real().socketPath, home: folder }
  return runCompose(place, variables, ...args)
}
