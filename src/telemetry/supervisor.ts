import { spawn } from 'node:child_process'
import type { Log } from '../kernel/index.js'

/** Where to notify systemd, with its own program: Node has no Unix datagram sockets. */
export interface SystemdNotify {
  /** NOTIFY_SOCKET: a path, or `@` and an abstract name. */
  readonly socket: string
  /** PATH in which to find systemd-notify. */
  readonly searchPath: string
}

/** The watchdog pings systemd expects (WatchdogSec=). */
export interface KeepAlive extends SystemdNotify {
  /** Half of the watchdog period. */
  readonly everyMs: number
}

/** The process that started this one and monitors it. */
export interface Supervisor {
  /** Reports that the role is serving. @param statusUrl base URL of its status server, for the localnet. */
  ready(statusUrl?: string): void
  /** Reports that the role drains and exits; not to be called before a restart by the launcher. */
  stopping(): void
  readonly keepAlive: KeepAlive | undefined
}

export interface SupervisorOptions {
  /** NOTIFY_SOCKET, WATCHDOG_USEC and PATH are read. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** IPC to a parent that forked this process (the localnet, pm2 with wait_ready). */
  readonly send: ((message: 'ready' | { readonly statusUrl: string }) => void) | undefined
  readonly log: Pick<Log, 'warn'>
}

/**
 * Supports systemd (Type=notify, NotifyAccess=all because the launcher may be in between) and pm2. WATCHDOG_PID is ignored: it
 * is the pid of the launcher.
 */
export function connectSupervisor({ env, send, log }: SupervisorOptions): Supervisor {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdogUs, PATH: searchPath = '' } = env
  const target = socket === undefined || socket === '' ? undefined : { socket, searchPath }
  const intervalMs = Number(watchdogUs) / 1000
  const notify = (state: string) => {
    if (target)
      notifySystemd(target, state, (reason) =>
        log.warn({ event: 'systemd-notify-failed', state, reason }, 'could not notify systemd'),
      )
  }
  return {
    ready: (statusUrl) => {
      notify('READY=1')
      if (statusUrl !== undefined) send?.({ statusUrl })
      send?.('ready')
    },
    stopping: () => notify('STOPPING=1'),
    keepAlive: target && intervalMs > 0 ? { ...target, everyMs: intervalMs / 2 } : undefined,
  }
}

function notifySystemd(
  { socket, searchPath }: SystemdNotify,
  state: string,
  onFailure: (reason: string) => void,
) {
  const child = spawn('systemd-notify', [state], {
    env: { NOTIFY_SOCKET: socket, PATH: searchPath },
    stdio: 'ignore',
  })
  child.on('error', ({ message }) => onFailure(message))
  child.on('exit', (code) => {
    if (code !== 0) onFailure(`systemd-notify exited with ${code}`)
  })
  child.unref()
}
