import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { NodeSettings } from '../config/index.js'
import { messageOf, packageVersion, systemClock } from '../kernel/index.js'
import type { Progress } from '../telemetry/index.js'

type LoggingSettings = Pick<
  NodeSettings,
  'logging.debug' | 'logging.trace' | 'logging.info' | 'logging.record_log' | 'netuid'
>

/** The most verbose switch wins. */
function levelOf(
  settings: Pick<LoggingSettings, 'logging.debug' | 'logging.trace' | 'logging.info'>,
): 'trace' | 'debug' | 'info' | 'warn' {
  if (settings['logging.trace']) return 'trace'
  if (settings['logging.debug']) return 'debug'
  return settings['logging.info'] ? 'info' : 'warn'
}

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
}): Promise<{ readonly log: Logger; readonly progress: Progress }> {
  const { createLogger, drawProgress, logProgress } = await import('../telemetry/index.js')
  const { role, settings, hotkey, stateDir, secrets } = options
  const isTerminal = process.stderr.isTTY === true
  // The bar writes asynchronously; without a listener, writing to a closed terminal would crash a neuron that survived SIGHUP.
  if (isTerminal) process.stderr.on('error', () => {})
  const bar = isTerminal ? await drawProgress(process.stderr) : undefined
  const log = createLogger({
    level: levelOf(settings),
    base: { role, netuid: settings.netuid, hotkey, version: packageVersion() },
    pretty: isTerminal,
    secrets,
    ...(bar ? { destination: stderrBelowBar(bar.clear) } : {}),
    ...(settings['logging.record_log'] ? { copy: fileWriter(join(stateDir, `${role}.log`)) } : {}),
  })
  return { log, progress: bar ?? logProgress(log, systemClock) }
}

/** Stderr, written synchronously so that nothing is lost on exit; write errors (a closed terminal) are ignored. */
function stderrBelowBar(clear: () => void) {
  return {
    write: (record: string) => {
      clear()
      tryWrite(process.stderr.fd, record)
    },
  }
}

/** Appends records to a file; when writing fails (a full disk), warns once until it succeeds again. */
function fileWriter(path: string) {
  const file = openSync(path, 'a', 0o600)
  let isFailing = false
  return {
    write: (record: string) => {
      const failure = tryWrite(file, record)
      if (failure !== undefined && !isFailing)
        tryWrite(process.stderr.fd, `Warning: cannot write the log file ${path}: ${failure}\n`)
      isFailing = failure !== undefined
    },
  }
}

/** Never throws: a failing log must not stop the neuron. @returns the reason of a failure. */
function tryWrite(file: number, record: string): string | undefined {
  try {
    writeSync(file, record)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** The log of a command that is not a neuron: only levels requested by flags, and fatal errors. */
export async function openQuietLog(
  role: string,
  settings: Pick<LoggingSettings, 'logging.debug' | 'logging.trace' | 'logging.info'>,
): Promise<Logger> {
  const { createLogger } = await import('../telemetry/index.js')
  const level = levelOf({ ...settings, 'logging.info': false })
  return createLogger({
    level: level === 'warn' ? 'fatal' : level,
    base: { role, version: packageVersion() },
    pretty: process.stderr.isTTY === true,
    secrets: [],
  })
}
