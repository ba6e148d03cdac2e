import type { Logger } from 'pino'
import type { NodeSettings } from '../config/index.js'
import {
  type Clock,
  isAbort,
  messageOf,
  systemClock,
  TargonError,
  whenAborted,
  withDeadline,
} from '../kernel/index.js'
import type { KeepAlive, Progress, Supervisor } from '../telemetry/index.js'
import { EXIT_STATUS } from './exit-status.js'
import { ISSUES_URL } from './issues.js'
import { openRoleLog } from './role-logger.js'
import { secretsOf } from './secrets.js'
import { type Shutdown, watchShutdown } from './shutdown.js'
import { openStateFolder, type StateLocation } from './state-folder.js'

/** What a role is given to run with; the shape of roles/role.ts, which cli/ does not import. */
export interface RoleContext {
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
  readonly stateDir: string
  /** Shows what takes long. */
  readonly progress: Progress
  /** What systemd wants to hear while the role is well; undefined when it is not the supervisor, or does not ask. */
  readonly keepAlive: KeepAlive | undefined
  /** Drains and ends with the status that asks the supervisor for a restart: a release was put on trial. */
  readonly restart: (reason: string) => void
  /** Settings that came later: from now on their secrets are kept out of the log too. */
  readonly hide: (values: object) => void
}

interface Running<Report> {
  readonly done: Promise<Report>
  readonly statusUrl?: string
}

export interface RoleRun<Report> {
  readonly role: 'miner' | 'validator'
  readonly settings: NodeSettings & StateLocation & { readonly launched: boolean }
  /** Rejects when something the role cannot live without has died (the network of --mock). */
  readonly death?: Promise<never>
  /** ss58 address, for the log. */
  readonly hotkey: string
  readonly warnings: readonly string[]
  /** Resolves when the role serves. */
  readonly start: (context: RoleContext) => Promise<Running<Report>>
}

/** Time beyond `drain-timeout` for saving and closing before the process ends regardless. */
const DRAIN_GRACE_MS = 5000

/**
 * The life of a neuron's process: state folder, log, signals, readiness, drain.
 *
 * @returns the report of the role; undefined when it was stopped before it served.
 */
export async function runRole<Report>(run: RoleRun<Report>): Promise<Report | undefined> {
  // Unheard, SIGHUP would end the process without a drain, now and while it starts.
  const hangup: Hangup = { heard: () => {} }
  const onHangup = () => hangup.heard()
  process.on('SIGHUP', onHangup)
  try {
    return await runHeeding(run, hangup)
  } finally {
    process.removeListener('SIGHUP', onHangup)
  }
}

interface Hangup {
  heard: () => void
}

async function runHeeding<Report>(run: RoleRun<Report>, hangup: Hangup): Promise<Report | undefined> {
  // Whatever a neuron or one of its libraries writes (PGlite, lock folders) is its owner's alone.
  process.umask(0o077)
  const stateDir = openStateFolder(run.settings, run.role)
  const secrets = new Set(secretsOf(run.settings))
  const { log, progress } = await openRoleLog({ ...run, stateDir, secrets })
  for (const warning of run.warnings)
    log.warn({ event: 'setting-warning', warning }, 'a setting needs attention')
  // A miner takes it as a wish to reload: reload.ts listens too.
  if (run.role === 'validator')
    hangup.heard = () =>
      log.info({ event: 'reload-ignored', signal: 'SIGHUP' }, 'a validator has no settings to reload')
  let fatal: { readonly error: unknown } | undefined
  const shutdown = watchShutdown({
    events: process,
    log,
    stdin: run.settings['exit-with-stdin'] ? process.stdin : undefined,
    onFatal: (error) => {
      fatal ??= { error }
    },
  })
  // The launcher holds this channel: without it nobody would supervise, signal or replace this process.
  const onOrphaned = () => shutdown.stop('end of the launcher')
  if (run.settings.launched) process.once('disconnect', onOrphaned)
  try {
    const { connectSupervisor } = await import('../telemetry/index.js')
    const supervisor = connectSupervisor({ env: process.env, send: sendToParent, log })
    const restart = heedRestart(shutdown, supervisor)
    const hide = (values: object) => {
      for (const secret of secretsOf(values)) secrets.add(secret)
    }
    const { signal } = shutdown
    const { keepAlive } = supervisor
    const context = { clock: systemClock, log, signal, stateDir, progress, keepAlive, restart, hide }
    const report = await serve(run, context, supervisor)
    if (fatal) throw fatalError(fatal.error)
    return report
  } finally {
    process.removeListener('disconnect', onOrphaned)
    progress.end()
    shutdown.release()
  }
}

/** The supervisor hears of an end, but not of one after which it is to start the process again. @returns what asks for that. */
function heedRestart(shutdown: Shutdown, supervisor: Supervisor): (reason: string) => void {
  let isRestart = false
  shutdown.signal.addEventListener('abort', () => {
    if (!isRestart) supervisor.stopping()
  })
  return (reason) => {
    isRestart = true
    process.exitCode = EXIT_STATUS.restartWanted
    shutdown.stop(reason)
  }
}

/** To whoever forked this process; one that is gone meanwhile is no error here: `disconnect` tells of it. */
function sendToParent(message: object | string): void {
  process.send?.(message, undefined, undefined, () => {})
}

async function serve<Report>(
  run: RoleRun<Report>,
  context: RoleContext,
  supervisor: Supervisor,
): Promise<Report | undefined> {
  const { log, signal } = context
  try {
    const report = await endOf(live(run, context, supervisor), run, context)
    log.info({ event: 'stopped' }, 'stopped')
    return report
  } catch (error) {
    if (signal.aborted && isAbort(error)) return undefined
    throw error
  }
}

async function live<Report>(
  run: RoleRun<Report>,
  context: RoleContext,
  supervisor: Supervisor,
): Promise<Report> {
  const running = await run.start(context)
  context.log.info({ event: 'ready', stateDir: context.stateDir }, 'ready')
  supervisor.ready(running.statusUrl)
  return running.done
}

/** Waits as long as the role lives, starting included, and not much longer than the drain once it was asked to stop. */
async function endOf<Report>(
  life: Promise<Report>,
  { death, settings }: RoleRun<Report>,
  { clock, signal }: RoleContext,
): Promise<Report> {
  const asked = whenAborted(signal).then(() => 'asked' as const)
  const ends = [life.then((report) => ({ report })), asked, ...(death === undefined ? [] : [death])]
  const first = await Promise.race(ends)
  if (first !== 'asked') return first.report
  const drainMs = settings['drain-timeout'] * 1000 + DRAIN_GRACE_MS
  return withDeadline(clock, 'Draining', drainMs, undefined, () => life)
}

function fatalError(error: unknown): TargonError {
  if (error instanceof TargonError) return error
  return new TargonError(
    `An uncaught error ended the process: ${messageOf(error)}.`,
    {
      code: 'UNCAUGHT',
      fault: 'runtime',
      next: `The log has the stack with --logging.debug; please report it at ${ISSUES_URL}.`,
    },
    { cause: error },
  )
}
