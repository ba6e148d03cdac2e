import { join } from 'node:path'
import type { Logger } from 'pino'
import type { NodeSettings } from '../config/index.js'
import {
  detachedClock,
  LineWriter,
  openFileOutput,
  packageVersion,
  systemClock,
  withDeadline,
} from '../kernel/index.js'
import type { LogDestination, Progress } from '../telemetry/index.js'
import { unblockStandardError, writeToStandardError } from './standard-error.js'

type LoggingSettings = Pick<NodeSettings, 'logging.level' | 'logging.record_log' | 'netuid'>

/** Levels at which a command that is not a neuron logs more, or less, than fatal errors. */
const REQUESTED: readonly string[] = ['silent', 'debug', 'trace']

/** The log of a neuron. */
export interface RoleLog {
  readonly log: Logger
  readonly progress: Progress
  /** Lines that were logged and could not be written. */
  readonly droppedLines: () => number
  /** Waits, not for long, until the log file is written. */
  close(): Promise<void>
}

/** Longest wait for the disk when a neuron ends. */
const DISK_LIMIT_MS = 1000

/**
 * Opens the log of a neuron: readable text on a terminal, JSON otherwise; with `logging.record_log` also a file in the state
 * folder. Progress is a bar on a terminal and log lines otherwise.
 */
export async function openRoleLog(options: {
  readonly role: string
  readonly settings: LoggingSettings
  readonly hotkey: string
  readonly stateDir: string
  readonly secrets: Iterable<string>
  readonly stderr?: LineWriter
}): Promise<RoleLog> {
  const { createLogger, drawProgress, logProgress } = await import('../telemetry/index.js')
  const { role, settings, hotkey, stateDir, secrets, stderr = unblockStandardError() } = options
  const isTerminal = process.stderr.isTTY === true
  const bar = isTerminal ? await drawProgress(terminalOf(stderr)) : undefined
  const copy = settings['logging.record_log'] ? openLogFile(join(stateDir, `${role}.log`), stderr) : undefined
  const log = createLogger({
    level: settings['logging.level'],
    base: { role, netuid: settings.netuid, hotkey, version: packageVersion() },
    pretty: isTerminal,
    secrets,
    destination: bar ? aboveBar(stderr, bar.clear) : stderr,
    ...(copy ? { copy: copy.writer } : {}),
  })
  return {
    log,
    progress: bar ?? logProgress(log, systemClock),
    droppedLines: () => stderr.lost + (copy?.writer.lost ?? 0),
    close: async () => copy?.close(),
  }
}

/** The terminal as a bar sees it; frames that it does not take at once are left out. */
function terminalOf(stderr: LineWriter) {
  return {
    write: (text: string) => stderr.writeIfIdle(text),
    get columns() {
      return process.stderr.columns
    },
  }
}

function aboveBar(stderr: LineWriter, clear: () => void): LogDestination {
  return {
    write: (line) => {
      clear()
      stderr.write(line)
    },
    describeLoss: (describe) => stderr.describeLoss(describe),
  }
}

/** A file that records are appended to; when writing fails (a full disk), warns once until it succeeds again. */
function openLogFile(path: string, stderr: LineWriter) {
  const writer = new LineWriter(openFileOutput(path), {
    clock: detachedClock,
    onFailure: (reason) => stderr.write(`Warning: cannot write the log file ${path}: ${reason}\n`),
  })
  const flush = () => writer.flush()
  process.once('exit', flush)
  const close = async () => {
    const write = () => writer.settled()
    await withDeadline(systemClock, 'Writing the log file', DISK_LIMIT_MS, undefined, write).catch(() => {})
    process.removeListener('exit', flush)
  }
  return { writer, close }
}

/** The log of a command that is not a neuron: fatal errors, and what debug and trace add; normal operation is its output. */
export async function openQuietLog(
  role: string,
  settings: Pick<LoggingSettings, 'logging.level'>,
): Promise<Logger> {
  const { createLogger } = await import('../telemetry/index.js')
  const level = settings['logging.level']
  return createLogger({
    level: REQUESTED.includes(level) ? level : 'fatal',
    base: { role, version: packageVersion() },
    pretty: process.stderr.isTTY === true,
    destination: { write: writeToStandardError },
    secrets: [],
  })
}
