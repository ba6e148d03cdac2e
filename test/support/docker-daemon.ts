import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/kernel/clock.js'

export interface DockerDaemon {
  readonly socketPath: string
  /** Runs the command docker against this daemon. @returns what it prints */
  docker(...args: string[]): string
  /** Ends the daemon, and its containers with it, and starts it again. */
  restart(): Promise<void>
  /** Leaves no container, process, network or mount behind. */
  close(): Promise<void>
}

const START_MS = 30_000

/**
 * Starts a Docker daemon of its own in a temporary folder, with a bridge of its own and without touching the firewall.
 *
 * @returns why none can run on this machine
 */
export async function startDockerDaemon(): Promise<DockerDaemon | string> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'a Docker daemon needs root on Linux'
  for (const program of ['dockerd', 'docker', 'ip'])
    if (!isInstalled(program)) return `${program} is not installed`
  const folder = mkdtempSync(join(tmpdir(), 'targon-docker-'))
  const bridge = `tgn${randomBytes(3).toString('hex')}`
  try {
    run('ip', 'link', 'add', bridge, 'type', 'bridge')
    run('ip', 'addr', 'add', `10.${randomInt(200, 250)}.${randomInt(1, 250)}.1/24`, 'dev', bridge)
    run('ip', 'link', 'set', bridge, 'up')
  } catch (error) {
    removeAll(folder, bridge)
    return `no network bridge can be made: ${error instanceof Error ? error.message : error}`
  }
  const socketPath = join(folder, 'docker.sock')
  const docker = (...args: string[]) => run('docker', '--host', `unix://${socketPath}`, ...args)
  let daemon = launch(folder, bridge)
  const close = async () => {
    if (daemon.exitCode === null) {
      try {
        const ids = docker('ps', '-aq').split('\n').filter(Boolean)
        if (ids.length > 0) docker('rm', '-f', ...ids)
      } catch {
        // A daemon that does not respond is ended below, and its containers with it.
      }
      await end(daemon)
    }
    removeAll(folder, bridge)
  }
  if (!(await isUp(daemon, docker))) {
    const log = readFileSync(join(folder, 'log'), 'utf8').trim().split('\n').at(-1)
    await close()
    return `dockerd does not start: ${log?.slice(0, 200)}`
  }
  return {
    socketPath,
    docker,
    restart: async () => {
      await end(daemon)
      daemon = launch(folder, bridge)
      if (!(await isUp(daemon, docker))) throw new Error('dockerd does not start again')
    },
    close,
  }
}

function launch(folder: string, bridge: string): ChildProcess {
  const log = openSync(join(folder, 'log'), 'a')
  const options = [
    ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')],
    ...['--pidfile', join(folder, 'pid'), '--host', `unix://${join(folder, 'docker.sock')}`],
    ...[
      '--bridge',
      bridge,
      '--iptables=false',
      '--ip6tables=false',
      '--ip-masq=false',
      '--shutdown-timeout=1',
    ],
  ]
  const daemon = spawn('dockerd', options, { stdio: ['ignore', log, log] })
  closeSync(log)
  return daemon
}

async function isUp(daemon: ChildProcess, docker: DockerDaemon['docker']): Promise<boolean> {
  const until = Date.now() + START_MS
  while (daemon.exitCode === null && Date.now() < until) {
    try {
      docker('version')
      return true
    } catch {
      await systemClock.sleep(200)
    }
  }
  return false
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return
  const ended = new Promise((resolve) => daemon.once('exit', resolve))
  daemon.kill('SIGTERM')
  const timer = setTimeout(() => daemon.kill('SIGKILL'), 20_000)
  await ended
  clearTimeout(timer)
}

function removeAll(folder: string, bridge: string): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`))
  for (const path of mounts.reverse()) attempt('umount', '-l', path)
  attempt('ip', 'link', 'delete', bridge)
  rmSync(folder, { recursive: true, force: true })
}

function attempt(program: string, ...args: string[]): void {
  try {
    run(program, ...args)
  } catch {
    // It may not exist.
  }
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', timeout: 60_000, stdio: ['ignore', 'pipe', 'pipe'] })
}

function isInstalled(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
