import { spawn } from 'node:child_process'
import type { Log } from '../kernel/index.js'

/** How systemd is told something: its own program, since Node speaks no datagrams of the unix domain. */
export interface SystemdNotify {
  /** NOTIFY_SOCKET: a path, or `@` and an abstract name. */
  readonly socket: string
  /** PATH, in which systemd-notify is looked for. */
  readonly searchPath: string
}

/** The signs of life systemd asked for with WatchdogSec=. */
export interface KeepAlive extends SystemdNotify {
  /** Half of what it waits for. */
  readonly everyMs: number
}

/** Whoever started this process and wants to know how it is doing. */
export interface Supervisor {
  /** The role serves. @param statusUrl base URL of its status server, for a parent that reads it (the localnet). */
  ready(statusUrl?: string): void
  /** It drains and ends for good; not to be said before a restart that the launcher does itself. */
  stopping(): void
  readonly keepAlive: KeepAlive | undefined
}

export interface SupervisorOptions {
  /** NOTIFY_SOCKET, WATCHDOG_USEC and PATH are read. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The channel to a parent that forked this process (pm2 with wait_ready). */
  readonly send: ((message: 'ready' | { readonly statusUrl: string }) => void) | undefined
  readonly log: Pick<Log, 'warn'>
}

/**
 * systemd (Type=notify, NotifyAccess=all, as a launcher may stand between) and pm2. WATCHDOG_PID is not looked at: it
 * names the launcher.
 */
export function connectSupervisor({ env, send, log }: SupervisorOptions): Supervisor {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdogUs, PATH: searchPath = '' } = env
  const target = socket === undefined || socket === '' ? undefined : { socket, searchPath }
  const intervalMs = Number(watchdogUs) / 1000
  const tell = (state: string) => {
    if (target)
      notifySystemd(target, state, (reason) =>
        log.warn({ event: 'systemd-notify-failed', state, error: reason }, 'could not notify systemd'),
      )
  }
  return {
    ready: (statusUrl) => {
      tell('READY=1')
      if (statusUrl !== undefined) send?.({ statusUrl })
      send?.('ready')
    },
    stopping: () => tell('STOPPING=1'),
    keepAlive: target && intervalMs > 0 ? { ...target, everyMs: intervalMs / 2 } : undefined,
  }
}

function notifySystemd(
  { socket, searchPath }: SystemdNotify,
  state: string,
  onFault: (reason: string) => void,
) {
  const child = spawn('systemd-notify', [state], {
    env: { NOTIFY_SOCKET: socket, PATH: searchPath },
    stdio: 'ignore',
  })
  child.on('error', ({ message }) => onFault(message))
  child.on('exit', (code) => {
    if (code !== 0) onFault(`systemd-notify ended with ${code}`)
  })
  child.unref()
}
