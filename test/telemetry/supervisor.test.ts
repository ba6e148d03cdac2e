import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectSupervisor } from '../../src/telemetry/index.js'
import { compiledUrl } from '../support/compiled-program.js'
import { canNotify, type NotifySocket, openNotifySocket } from '../support/notify-socket.js'

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))
const compiled = (name: string) => compiledUrl(new URL(`../../${name}`, import.meta.url))

/** A role under systemd, with the watchdog of a validator. */
const ROLE = `
  import { mkdtempSync } from 'node:fs'
  import { runRole } from ${JSON.stringify(compiled('src/cli/index.ts'))}
  import { resolveSettings } from ${JSON.stringify(compiled('src/config/index.ts'))}
  import { startWatchdog } from ${JSON.stringify(compiled('src/roles/validator/health/watchdog.ts'))}
  const flags = { 'logging.logging_dir': process.argv[2], 'wallet.name': 'w', 'wallet.hotkey': 'h' }
  const settings = resolveSettings('validator', { flags, env: {} }).values
  await runRole({
    role: 'validator', settings, hotkey: '5Hot', warnings: [],
    start: async ({ clock, log, signal, keepAlive, restart }) => {
      // A busy machine must not trip the watchdog except in the test that hangs on purpose.
      const dog = startWatchdog({ clock, log, keepAlive, loopTimeoutMs: process.argv[3] === 'hang' ? 3000 : 60_000 })
      if (process.argv[3] === 'hang') process.once('SIGUSR2', () => { for (;;) {} })
      if (process.argv[3] === 'update') setTimeout(() => restart('update'), 500)
      const done = new Promise((resolve) => signal.addEventListener('abort', resolve)).then(() => dog.close())
      return { done }
    },
  })
`

describe.skipIf(!canNotify)('systemd (skipped without systemd-notify and perl)', () => {
  let socket: NotifySocket
  let folder: string
  let script: string
  beforeEach(async () => {
    socket = await openNotifySocket()
    folder = await mkdtemp(join(tmpdir(), 'targon-supervised-'))
    script = join(folder, 'role.mjs')
    await writeFile(script, ROLE)
  })
  afterEach(async () => {
    await socket.close()
    await rm(folder, { recursive: true, force: true })
  })

  const start = (...words: readonly string[]) =>
    spawn(process.execPath, words, {
      cwd: path('.'),
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '400000' },
    })
  const pings = (received: readonly string[]) => received.filter((one) => one === 'WATCHDOG=1').length

  test('receives ready, two pings per watchdog period, and stopping', async () => {
    const role = start(script, folder)
    const ended = once(role, 'exit')
    await socket.until((received) => received.includes('READY=1') && pings(received) >= 3)
    expect(socket.received).not.toContain('STOPPING=1')
    role.kill('SIGTERM')
    await socket.until((received) => received.includes('STOPPING=1'))
    expect(await ended).toEqual([0, null])
  })

  test('receives nothing from a role whose event loop hangs and which exits with 70', async () => {
    const role = start(script, folder, 'hang')
    const ended = once(role, 'exit')
    await socket.until((received) => pings(received) >= 2)
    role.kill('SIGUSR2')
    expect(await ended).toEqual([70, null])
    expect(socket.received).not.toContain('STOPPING=1')
  })

  test('is not told about a restart into another release', async () => {
    const role = start(script, folder, 'update')
    expect(await once(role, 'exit')).toEqual([75, null])
    expect(socket.received).not.toContain('STOPPING=1')
  })

  test('is notified by a role started by the launcher', async () => {
    const slot = join(folder, 'releases', '1.0.0')
    await mkdir(join(slot, 'bin'), { recursive: true })
    await writeFile(join(slot, 'COMPLETE'), '')
    await writeFile(
      join(slot, 'bin', 'run.js'),
      `process.argv[2] = ${JSON.stringify(folder)}\nimport(${JSON.stringify(script)})`,
    )
    await symlink('releases/1.0.0', join(folder, 'current'))
    await copyFile(path('deploy/launcher.mjs'), join(folder, 'launcher.mjs'))
    const launcher = spawn(process.execPath, [join(folder, 'launcher.mjs')], {
      stdio: 'ignore',
      env: { ...process.env, NOTIFY_SOCKET: socket.path },
    })
    await socket.until((received) => received.includes('READY=1'))
    launcher.kill('SIGTERM')
    await socket.until((received) => received.includes('STOPPING=1'))
    await once(launcher, 'exit')
    // No WATCHDOG_USEC, no pings.
    expect(pings(socket.received)).toBe(0)
  })
})

describe('without systemd', () => {
  const warnings: unknown[] = []
  const log = { warn: (...words: unknown[]) => void warnings.push(words) }

  test('starts no process, and still tells pm2 that the role is ready', () => {
    const sent: unknown[] = []
    const supervisor = connectSupervisor({ env: {}, send: (message) => sent.push(message), log })
    supervisor.ready()
    supervisor.stopping()
    expect(supervisor.keepAlive).toBeUndefined()
    expect(sent).toEqual(['ready'])
    supervisor.ready('http://127.0.0.1:9')
    expect(sent.slice(1)).toEqual([{ statusUrl: 'http://127.0.0.1:9' }, 'ready'])
    expect(warnings).toEqual([])
  })

  test('warns about a missing systemd-notify and continues', async () => {
    const warned = new Promise((resolve) => {
      const supervisor = connectSupervisor({
        env: { NOTIFY_SOCKET: '/nowhere', PATH: '/nowhere', WATCHDOG_USEC: 'soon' },
        send: undefined,
        log: { warn: resolve },
      })
      expect(supervisor.keepAlive).toBeUndefined()
      supervisor.ready()
    })
    expect(await warned).toMatchObject({ state: 'READY=1', reason: expect.stringContaining('ENOENT') })
  })
})
