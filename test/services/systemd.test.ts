import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DevelopmentParts, startDevelopmentParts } from '../support/development-parts.js'
import { type DockerDaemon, startDockerDaemon } from '../support/docker-daemon.js'
import {
  type SystemdContainer,
  startSystemdContainer,
  systemdObstacle,
} from '../support/systemd-container.js'

// deploy/systemd under a real systemd, which is process 1 of a container with nearly all capabilities.
const checkout = fileURLToPath(new URL('../..', import.meta.url))
const daemon = await openDaemon()
if (typeof daemon === 'string') console.warn(`systemd.test.ts is skipped: ${daemon}.`)

const MINER = 'targon-miner.service'
const VALIDATOR = 'targon-validator.service'
const HUB = 'targon-hub.service'

describe.skipIf(typeof daemon === 'string')('the units under systemd', { timeout: 150_000 }, () => {
  let parts: DevelopmentParts
  let systemd: SystemdContainer

  beforeAll(async () => {
    if (typeof daemon === 'string') return
    parts = await startDevelopmentParts()
    systemd = await startSystemdContainer(daemon, {
      ...units(),
      ...wallets(parts.minerVariables.TARGON_WALLET_PATH ?? ''),
      '/etc/targon/miner.env': linesOf(placed(parts.minerVariables)),
      '/etc/targon/validator.env': linesOf(placed(parts.validatorVariables)),
      '/etc/targon/hub.env': linesOf(placed(parts.hubVariables)),
      '/var/lib/targon-validator/models.txt': parts.models,
      // shorter times than those of the unit, which would take minutes
      [`/etc/systemd/system/${VALIDATOR}.d/test.conf`]: '[Service]\nWatchdogSec=10\nRestartSec=1\n',
    })
  }, 120_000)
  afterAll(async () => {
    if (typeof daemon !== 'string') await daemon.close()
    await parts?.stop()
  }, 60_000)

  const journalHas = (unit: string, text: string) =>
    expect.poll(() => systemd.journal(unit), { timeout: 60_000, interval: 500 }).toContain(text)
  const becomes = (unit: string, properties: Readonly<Record<string, string>>) =>
    expect
      .poll(() => systemd.show(unit, ...Object.keys(properties)), { timeout: 60_000, interval: 500 })
      .toEqual(properties)

  it('accepts all without a word', async () => {
    const paths = [MINER, VALIDATOR, HUB].map((name) => `/etc/systemd/system/${name}`)
    expect(await systemd.run('systemd-analyze', 'verify', '--man=no', ...paths)).toEqual({
      status: 0,
      printed: '',
    })
  })

  it('starts a miner, lets it read its settings again on reload, and lets it drain on stop', async () => {
    expect(await systemd.run('systemctl', 'start', MINER)).toEqual({ status: 0, printed: '' })
    await journalHas(MINER, '"event":"ready"')
    expect(await systemd.run('systemctl', 'reload', MINER)).toEqual({ status: 0, printed: '' })
    await journalHas(MINER, '"event":"settings-reloaded"')
    await systemd.run('systemctl', 'stop', MINER)
    await becomes(MINER, { ActiveState: 'inactive', Result: 'success', ExecMainStatus: '0', NRestarts: '0' })
    const log = await systemd.journal(MINER)
    expect(log).toContain('"event":"draining"')
    expect(log).toContain('"event":"stopped"')
    expect((await systemd.run('ls', '-ld', '/var/lib/targon-miner')).printed).toMatch(
      /^drwx------ \d+ targon targon /,
    )
  })

  it('starts a hub, with its state in its own folder, and lets it drain on stop', async () => {
    expect(await systemd.run('systemctl', 'start', HUB)).toEqual({ status: 0, printed: '' })
    await journalHas(HUB, '"event":"ready"')
    // as docs/deploy.md has it, without sudo
    const created = await systemd.run(
      ...['setpriv', '--reuid=targon', '--regid=targon', '--clear-groups', 'env'],
      ...['TARGON_LOGGING_LOGGING_DIR=/var/lib/targon-hub/neurons', 'node', '/opt/targon/bin/run.js'],
      ...['hub', 'keys', 'create', 'alice'],
      ...['--env-file', '/etc/targon/hub.env'],
    )
    expect(created.printed).toMatch(/Created \S+ for alice/)
    await systemd.run('systemctl', 'stop', HUB)
    await becomes(HUB, { ActiveState: 'inactive', Result: 'success', ExecMainStatus: '0', NRestarts: '0' })
    expect(await systemd.journal(HUB)).toContain('"event":"hub-ended"')
    const kept = await systemd.run('find', '/var/lib/targon-hub/neurons', '-name', 'accounts.sqlite')
    expect(kept.printed).toMatch(/^\/var\/lib\/targon-hub\/neurons\/localnet\/validator\/netuid4\/hub\//)
  })

  it('starts a miner again that was killed', async () => {
    await systemd.run('systemctl', 'start', MINER)
    await systemd.run('systemctl', 'kill', '--signal=KILL', MINER)
    await becomes(MINER, { ActiveState: 'active', NRestarts: '1' })
    await systemd.run('systemctl', 'stop', MINER)
  })

  it.each([
    ['2 (a setting is wrong)', { TARGON_AXON_PORT: 'not a port' }, '2'],
    ['3 (the hotkey has no permit)', { TARGON_WALLET_HOTKEY: 'honest-fast' }, '3'],
  ])('does not start a node again that ends with status %s', async (_, changed, status) => {
    const [unit, file] = status === '2' ? [MINER, 'miner'] : [VALIDATOR, 'validator']
    const before = (await systemd.run('cat', `/etc/targon/${file}.env`)).printed
    await systemd.write(`/etc/targon/${file}.env`, `${before}${linesOf(changed)}`)
    await systemd.run('systemctl', 'reset-failed', unit)
    await systemd.run('systemctl', 'start', unit)
    await becomes(unit, { ActiveState: 'failed', SubState: 'failed', ExecMainStatus: status, NRestarts: '0' })
    await systemd.write(`/etc/targon/${file}.env`, before)
    await systemd.run('systemctl', 'reset-failed', unit)
  })

  it('waits until a validator is ready, and ends and restarts one that hangs', async () => {
    expect(await systemd.run('systemctl', 'start', VALIDATOR)).toEqual({ status: 0, printed: '' })
    // Type=notify: the start ends only when the validator has said READY=1
    expect(await systemd.journal(VALIDATOR)).toContain('"event":"ready"')
    await becomes(VALIDATOR, { ActiveState: 'active', SubState: 'running', NRestarts: '0' })
    const { ActiveEnterTimestampMonotonic: since = '' } = await systemd.show(
      VALIDATOR,
      'ActiveEnterTimestampMonotonic',
    )
    await expect
      .poll(
        async () => {
          const { WatchdogTimestampMonotonic: seen } = await systemd.show(
            VALIDATOR,
            'WatchdogTimestampMonotonic',
          )
          return Number(seen) > Number(since)
        },
        { timeout: 30_000, interval: 500 },
      )
      .toBe(true)

    const { MainPID: launcher = '' } = await systemd.show(VALIDATOR, 'MainPID')
    const { printed: node } = await systemd.run('cat', `/proc/${launcher}/task/${launcher}/children`)
    await systemd.run('kill', '-STOP', node.trim())
    await becomes(VALIDATOR, { ActiveState: 'active', NRestarts: '1' })
    expect(await systemd.journal(VALIDATOR)).toContain('Watchdog timeout')
    await systemd.run('systemctl', 'stop', VALIDATOR)
    await becomes(VALIDATOR, { ActiveState: 'inactive', Result: 'success', ExecMainStatus: '0' })
  })
})

/** Settings with the folders of the units; with a history in SQLite. */
function placed(variables: Readonly<Record<string, string>>): Record<string, string> {
  const others = ['TARGON_LOGGING_LOGGING_DIR', 'TARGON_MODELS_FILE', 'TARGON_HISTORY']
  const kept = Object.entries(variables).filter(([name]) => !others.includes(name))
  return { ...Object.fromEntries(kept), TARGON_WALLET_PATH: '/etc/targon/wallets' }
}

async function openDaemon(): Promise<DockerDaemon | string> {
  if (!existsSync(join(checkout, 'dist'))) return 'run npm run build first'
  return systemdObstacle() ?? (await startDockerDaemon())
}

function units(): Record<string, string> {
  const folder = join(checkout, 'deploy/systemd')
  const names = readdirSync(folder).filter((name) => name.endsWith('.service'))
  return Object.fromEntries(
    names.map((name) => [`/etc/systemd/system/${name}`, readFileSync(join(folder, name), 'utf8')]),
  )
}

function wallets(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const files = names.filter((name) => statSync(join(folder, name)).isFile())
  return Object.fromEntries(
    files.map((name) => [`/etc/targon/wallets/${name}`, readFileSync(join(folder, name), 'utf8')]),
  )
}

const linesOf = (variables: Readonly<Record<string, string>>) =>
  Object.entries(variables)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
