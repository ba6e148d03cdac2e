import type { Logger } from 'pino'
import type { NodeSettings } from '../config/index.js'
import {
  type Clock,
  isAbort,
  type LineWriter,
  messageOf,
  systemClock,
  TargonError,
  whenAborted,
  withDeadline,
} from '../kernel/index.js'
import type { KeepAlive, Progress, Supervisor } from '../telemetry/index.js'
import { EXIT_STATUS } from './exit-status.js'
import { logLibraryOutput } from './library-output.js'
import { ISSUES_URL } from './output.js'
import { openRoleLog } from './role-logger.js'
import { secretsOf } from './secrets.js'
import { type Shutdown, watchShutdown } from './shutdown.js'
import { openStateFolder, type StateLocation } from './state-folder.js'

/** What the process provides to a role; roles/role.ts declares the part it uses. */
export interface RunContext {
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
  readonly stateDir: string
  /** Displays long-running tasks. */
  readonly progress: Progress
  /** Lines that were logged and could not be written. */
  readonly droppedLines: () => number
  /** The watchdog pings systemd expects; undefined without systemd or its watchdog. */
  readonly keepAlive: KeepAlive | undefined
  /** Drains and exits with the status that makes the supervisor restart: a release is on probation. */
  readonly restart: (reason: string) => void
  /** Adds the secrets of reloaded settings to those masked in the log. */
  readonly hide: (values: object) => void
}

interface Running<Report> {
  readonly done: Promise<Report>
  readonly statusUrl?: string
}

/** What running a role depends on. */
type RunSettings = StateLocation &
  Pick<
    NodeSettings,
    'logging.level' | 'logging.record_log' | 'netuid' | 'exit-with-stdin' | 'drain-timeout'
  > & { readonly launched?: boolean }

export interface RoleRun<Report> {
  readonly role: 'miner' | 'validator' | 'hub'
  readonly settings: RunSettings
  /** Rejects when something the role depends on has died (the network of --mock). */
  readonly death?: Promise<never>
  /** ss58 address, for the log. */
  readonly hotkey: string
  readonly warnings: readonly string[]
  /** Where the log goes. Default: standard error. */
  readonly stderr?: LineWriter
  /** Called when the warnings are in the log. */
  readonly onWarned?: () => void
  /** Resolves when the role is serving. */
  readonly start: (context: RunContext) => Promise<Running<Report>>
}

/** Time after `drain-timeout` for saving and closing before the process exits anyway. */
const DRAIN_GRACE_MS = 5000

/**
 * Runs a role in this process: state folder, log, signals, readiness, drain.
 *
 * @returns the report of the role; undefined if it was stopped before it was serving.
 */
export async function runRole<Report>(run: RoleRun<Report>): Promise<Report | undefined> {
  // Without a listener SIGHUP would kill the process, even while it starts.
  const hangup: Hangup = { handle: () => {} }
  const onHangup = () => hangup.handle()
  process.on('SIGHUP', onHangup)
  try {
    return await runWithHangup(run, hangup)
  } finally {
    process.removeListener('SIGHUP', onHangup)
  }
}

interface Hangup {
  handle: () => void
}

async function runWithHangup<Report>(run: RoleRun<Report>, hangup: Hangup): Promise<Report | undefined> {
  // Files created by the neuron and its libraries (SQLite, locks) are accessible only to their owner.
  process.umask(0o077)
  const stateDir = openStateFolder(run.settings, run.role)
  const secrets = new Set(secretsOf(run.settings))
  const { close, ...shown } = await openRoleLog({ ...run, stateDir, secrets })
  const { log, progress } = shown
  const printAgain = logLibraryOutput(log)
  for (const warning of run.warnings)
    log.warn({ event: 'setting-warning' }, `configuration warning: ${warning}`)
  run.onWarned?.()
  // A miner reloads its settings instead (reload.ts).
  if (run.role !== 'miner')
    hangup.handle = () =>
      log.info(
        { event: 'reload-ignored', signal: 'SIGHUP' },
        'ignored SIGHUP: only a miner reloads its settings',
      )
  let fatal: { readonly error: unknown } | undefined
  const shutdown = watchShutdown({
    events: process,
    log,
    stdin: run.settings['exit-with-stdin'] ? process.stdin : undefined,
    onFatal: (error) => {
      fatal ??= { error }
    },
  })
  // If the launcher dies, nothing would supervise, signal or update this process.
  const onOrphaned = () => shutdown.stop('exit of the launcher')
  if (run.settings.launched) process.once('disconnect', onOrphaned)
  try {
    const { connectSupervisor } = await import('../telemetry/index.js')
    const supervisor = connectSupervisor({ env: process.env, send: sendToParent, log })
    const restart = onRestart(shutdown, supervisor)
    const hide = (values: object) => {
      for (const secret of secretsOf(values)) secrets.add(secret)
    }
    const { signal } = shutdown
    const { keepAlive } = supervisor
    const context = { clock: systemClock, ...shown, signal, stateDir, keepAlive, restart, hide }
    const report = await serve(run, context, supervisor)
    if (fatal) throw fatalError(fatal.error)
    return report
  } finally {
    process.removeListener('disconnect', onOrphaned)
    progress.end()
    shutdown.release()
    printAgain()
    await close()
  }
}

/** Notifies the supervisor of every stop except a restart. @returns the function that requests a restart. */
function onRestart(shutdown: Shutdown, supervisor: Supervisor): (reason: string) => void {
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

/** Sends to the parent over IPC. Errors are ignored: `disconnect` reports a parent that has exited. */
function sendToParent(message: object | string): void {
  process.send?.(message, undefined, undefined, () => {})
}

async function serve<Report>(
  run: RoleRun<Report>,
  context: RunContext,
  supervisor: Supervisor,
): Promise<Report | undefined> {
  const { log, signal } = context
  try {
    const report = await waitForEnd(startAndFinish(run, context, supervisor), run, context)
    log.info({ event: 'stopped' }, 'stopped')
    return report
  } catch (error) {
    if (signal.aborted && isAbort(error)) return undefined
    throw error
  }
}

async function startAndFinish<Report>(
  run: RoleRun<Report>,
  context: RunContext,
  supervisor: Supervisor,
): Promise<Report> {
  const running = await startUnlessStopped(run, context)
  context.log.info({ event: 'ready', stateDir: context.stateDir }, 'ready')
  supervisor.ready(running.statusUrl)
  return running.done
}

/** A stop closes what a starting role connects to, so every failure after it counts as the stop. */
async function startUnlessStopped<Report>(
  run: RoleRun<Report>,
  context: RunContext,
): Promise<Running<Report>> {
  try {
    return await run.start(context)
  } catch (error) {
    context.signal.throwIfAborted()
    throw error
  }
}

/** Waits for the role to end, startup included; once a stop is requested, only as long as the drain may take. */
async function waitForEnd<Report>(
  work: Promise<Report>,
  { death, settings }: RoleRun<Report>,
  { clock, signal }: RunContext,
): Promise<Report> {
  const stopped = whenAborted(signal).then(() => 'stopped' as const)
  const ends = [work.then((report) => ({ report })), stopped, ...(death === undefined ? [] : [death])]
  const first = await Promise.race(ends)
  if (first !== 'stopped') return first.report
  const drainMs = settings['drain-timeout'] * 1000 + DRAIN_GRACE_MS
  return withDeadline(clock, 'Draining', drainMs, undefined, () => work)
}

function fatalError(error: unknown): TargonError {
  if (error instanceof TargonError) return error
  return new TargonError(
    `An uncaught error stopped the process: ${messageOf(error)}.`,
    {
      code: 'UNCAUGHT',
      fault: 'runtime',
      next: `Run with --logging.level debug to log the stack trace, and report it at ${ISSUES_URL}.`,
    },
    { cause: error },
  )
}
