import { execFile, execFileSync } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { DockerDaemon } from './docker-daemon.js'
import { temporaryFolder } from './temporary-folder.js'

const UNITS = '/usr/lib/systemd/system'
const SYSTEMD = '/usr/lib/systemd/systemd'
const START_MS = 60_000
const checkout = fileURLToPath(new URL('../..', import.meta.url))
const execute = promisify(execFile)

/** The account of the units. */
export const TARGON = 998

/** A container whose process 1 is systemd; its programs are those of this machine. */
export interface SystemdContainer {
  /** Runs a program in it. @returns exit status and all it prints */
  run(...args: string[]): Promise<{ readonly status: number; readonly printed: string }>
  /** Properties of a unit, as `systemctl show` prints them. */
  show(unit: string, ...properties: string[]): Promise<Readonly<Record<string, string>>>
  journal(unit: string): Promise<string>
  /** Writes a file below /etc/targon or a settings file of a unit. */
  write(path: string, text: string): Promise<void>
}

/** @returns why no such container can run on this machine. */
export function systemdObstacle(): string | undefined {
  if (!existsSync(SYSTEMD)) return 'systemd is not installed'
  if (realpathSync('/bin') !== '/usr/bin') return 'this machine has no merged /usr'
  return realpathSync(process.execPath).startsWith('/usr/')
    ? undefined
    : 'Node.js is not installed below /usr'
}

/**
 * @param files paths in the container and their texts; those below /etc/targon and /var/lib belong to the account `targon`.
 * @throws Error with the last lines of systemd when it does not finish its start.
 */
export async function startSystemdContainer(
  { docker, socketPath }: DockerDaemon,
  files: Readonly<Record<string, string>>,
): Promise<SystemdContainer> {
  importRoot(docker, files)
  const mounts = [
    '/usr:/usr:ro',
    '/sys/fs/cgroup:/sys/fs/cgroup:rw',
    `${realpathSync(checkout)}:/opt/targon:ro`,
  ]
  const flags = [
    ...['--detach', '--name', 'systemd', '--network', 'host', '--cgroupns', 'host'],
    // as --privileged, which asks for SYS_RESOURCE as well: a sandbox may lack it, and systemd can do without
    ...['--cap-add', 'ALL', '--cap-drop', 'SYS_RESOURCE'],
    ...['seccomp', 'apparmor', 'systempaths'].flatMap((part) => ['--security-opt', `${part}=unconfined`]),
    ...['--tmpfs', '/run', '--tmpfs', '/tmp', '--env', 'container=docker', '--stop-signal', 'SIGRTMIN+3'],
    ...mounts.flatMap((mount) => ['--volume', mount]),
  ]
  docker(
    'run',
    ...flags,
    'systemd-root',
    SYSTEMD,
    '--unit=multi-user.target',
    '--log-target=journal',
    '--show-status=0',
  )
  const run = async (...args: string[]) => {
    const all = ['--host', `unix://${socketPath}`, 'exec', 'systemd', ...args]
    try {
      const { stdout, stderr } = await execute('docker', all, { timeout: 120_000, maxBuffer: 1 << 26 })
      return { status: 0, printed: `${stdout}${stderr}` }
    } catch (error) {
      const { code, stdout, stderr } = error as { code?: number; stdout?: string; stderr?: string }
      return {
        status: code ?? 1,
        printed: `${stdout ?? ''}${stderr ?? ''}${stdout === undefined ? error : ''}`,
      }
    }
  }
  const until = Date.now() + START_MS
  for (;;) {
    const { printed } = await run('systemctl', 'is-system-running', '--wait')
    if (/^(running|degraded)$/m.test(printed)) break
    if (Date.now() > until) throw new Error(`systemd does not start: ${printed}`)
  }
  return {
    run,
    show: async (unit, ...properties) => {
      const { printed } = await run(
        'systemctl',
        'show',
        unit,
        ...properties.map((name) => `--property=${name}`),
      )
      return Object.fromEntries(
        printed
          .trim()
          .split('\n')
          .map((line) => line.split(/=(.*)/s).slice(0, 2)),
      )
    },
    journal: async (unit) =>
      (await run('journalctl', '--unit', unit, '--output', 'cat', '--no-pager')).printed,
    write: async (path, text) => {
      const { status, printed } = await run('sh', '-c', 'printf %s "$2" > "$1"', 'sh', path, text)
      if (status !== 0) throw new Error(printed)
    },
  }
}

/** A root without /usr, which is mounted, and without the units that would change this machine's kernel. */
function importRoot(docker: DockerDaemon['docker'], files: Readonly<Record<string, string>>): void {
  const root = temporaryFolder('systemd-root')
  for (const name of [
    'dev',
    'etc/systemd/system',
    'home',
    'opt/targon',
    'proc',
    'root',
    'run',
    'sys',
    'tmp',
    'usr',
    'var/lib',
  ])
    mkdirSync(join(root, name), { recursive: true })
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) symlinkSync(`usr/${name}`, join(root, name))
  const accounts = {
    passwd: `root:x:0:0::/root:/bin/sh\ntargon:x:${TARGON}:${TARGON}::/var/lib/targon-validator:/usr/sbin/nologin\n`,
    group: `root:x:0:\ntargon:x:${TARGON}:\n`,
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
    'machine-id': `${'0123456789abcdef'.repeat(2)}\n`,
  }
  for (const [name, text] of Object.entries(accounts)) writeFileSync(join(root, 'etc', name), text)
  for (const folder of readdirSync(UNITS).filter((name) => name.endsWith('.wants')))
    for (const unit of readdirSync(join(UNITS, folder)).filter((name) => !name.startsWith('systemd-journal')))
      replaceLink(join(root, 'etc/systemd/system', unit))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text, { mode: path.startsWith('/etc/systemd/') ? 0o644 : 0o600 })
  }
  for (const path of [
    'etc/targon',
    ...readdirSync(join(root, 'etc/targon'), { recursive: true, encoding: 'utf8' }).map((name) =>
      join('etc/targon', name),
    ),
  ])
    chownSync(join(root, path), TARGON, TARGON)
  const archive = `${root}.tar`
  execFileSync('tar', ['-C', root, '--numeric-owner', '-cf', archive, '.'])
  docker('import', archive, 'systemd-root')
  rmSync(archive)
}

function replaceLink(path: string): void {
  rmSync(path, { force: true })
  symlinkSync('/dev/null', path)
}
