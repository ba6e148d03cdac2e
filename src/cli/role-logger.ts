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

/** The most talkative switch wins. */
function levelOf(
  settings: Pick<LoggingSettings, 'logging.debug' | 'logging.trace' | 'logging.info'>,
): 'trace' | 'debug' | 'info' | 'warn' {
  if (settings['logging.trace']) return 'trace'
  if (settings['logging.debug']) return 'debug'
  return settings['logging.info'] ? 'info' : 'warn'
}

/**
 * The log of a neuron: for people on a terminal, JSON otherwise; with `logging.record_log` also in its folder. Progress is
 * a bar below it on a terminal, and lines of the log otherwise.
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
  // the bar writes without waiting: a terminal that has gone must not end a neuron that ignores its hang-up
  if (isTerminal) process.stderr.on('error', () => {})
  const bar = isTerminal ? await drawProgress(process.stderr) : undefined
  const log = createLogger({
    level: levelOf(settings),
    base: { role, netuid: settings.netuid, hotkey, version: packageVersion() },
    pretty: isTerminal,
    secrets,
    ...(bar ? { destination: besideBar(bar.giveWay) } : {}),
    ...(settings['logging.record_log'] ? { copy: fileWriter(join(stateDir, `${role}.log`)) } : {}),
  })
  return { log, progress: bar ?? logProgress(log, systemClock) }
}

/** Standard error, written synchronously, so that nothing is lost on exit; a terminal that has gone ends nothing. */
function besideBar(giveWay: () => void) {
  return {
    write: (record: string) => {
      giveWay()
      tryWrite(process.stderr.fd, record)
    },
  }
}

/** A file that cannot be written, on a full disk say, is told of once until it can be again. */
function fileWriter(path: string) {
  const file = openSync(path, 'a', 0o600)
  let isFailing = false
  return {
    write: (record: string) => {
      const failure = tryWrite(file, record)
      if (failure !== undefined && !isFailing)
        tryWrite(process.stderr.fd, `Warning: ${path} cannot be written: ${failure}\n`)
      isFailing = failure !== undefined
    },
  }
}

/** A log that fails must not end what it tells of. @returns why it failed. */
function tryWrite(file: number, record: string): string | undefined {
  try {
    writeSync(file, record)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** The log of a command that is no neuron: only what the operator asked to see, and errors. */
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
