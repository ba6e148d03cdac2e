import pino, { type LevelWithSilent, type Logger } from 'pino'
import pretty from 'pino-pretty'
import { escapeControls, messageOf, TargonError } from '../kernel/index.js'
import { createRedactor } from './redaction.js'

export interface LoggerOptions {
  readonly level: LevelWithSilent
  /** Fields of every record: role, netuid, hotkey, version. */
  readonly base: Readonly<Record<string, unknown>>
  /** Human-readable lines instead of JSON. */
  readonly pretty: boolean
  /** Colours of pretty lines. Default: if the terminal supports them. */
  readonly colour?: boolean
  readonly destination: LogDestination
  /** A second destination that always gets JSON (a log file). */
  readonly copy?: LogDestination
  /** Values to mask; a `Set` may grow later. */
  readonly secrets: Iterable<string>
}

/** Where records go, one line each. */
export interface LogDestination {
  write(line: string): void
  /** Sets the line that tells the reader of lines that were lost. */
  describeLoss?(describe: (lines: number) => string): void
}

/**
 * Creates the log of a role. One record is one line. Control characters are escaped and secrets masked after
 * serialisation, so that nested fields and error messages are covered too.
 */
export function createLogger(options: LoggerOptions): Logger {
  const redact = createRedactor(options.secrets)
  const format = options.pretty ? prettyFormat(options.colour) : escapeRecord
  const { destination, copy } = options
  const log = openPino(options, (record) => {
    const clean = redact(record)
    destination.write(format(clean))
    copy?.write(escapeRecord(clean))
  })
  destination.describeLoss?.((lines) => format(redact(lossRecord(options, lines))))
  copy?.describeLoss?.((lines) => escapeRecord(redact(lossRecord(options, lines))))
  return log
}

function openPino({ level, base }: LoggerOptions, write: (record: string) => void): Logger {
  return pino(
    {
      level,
      base: { ...base },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: errorFields(level === 'trace' || level === 'debug') },
    },
    { write },
  )
}

/** The record of a loss; it takes the place of the lost lines and so cannot be logged like others. */
function lossRecord(options: LoggerOptions, lines: number): string {
  let text = ''
  const log = openPino({ ...options, level: 'warn' }, (record) => {
    text = record
  })
  log.warn(
    {
      event: 'log-lines-dropped',
      lines,
      next: 'Check that something reads the log as fast as it is written.',
    },
    'log lines were dropped here because they could not be written',
  )
  return text
}

/** An error as log fields; the stack only at debug level and below. */
function errorFields(withStack: boolean) {
  return (error: unknown): unknown => {
    if (!(error instanceof Error)) return error
    const { name, stack, cause } = error
    const code = 'code' in error ? error.code : undefined
    const next = error instanceof TargonError ? error.next : undefined
    return {
      type: name,
      message: messageOf(error),
      ...(code === undefined ? {} : { code }),
      ...(next === undefined ? {} : { next }),
      ...(cause === undefined ? {} : { cause: messageOf(cause) }),
      ...(withStack ? { stack } : {}),
    }
  }
}

function prettyFormat(colour: boolean | undefined): (record: string) => string {
  const format = pretty.prettyFactory({
    ...(colour === undefined ? {} : { colorize: colour }),
    ignore: 'role,netuid,hotkey,version,pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
    errorLikeObjectKeys: [],
  })
  return (record) => format(escapeTwice(record)) ?? ''
}

/** Escapes control characters; in a JSON record they can only occur inside strings, where `\uXXXX` is equivalent. */
function escapeRecord(json: string): string {
  const body = json.endsWith('\n') ? json.slice(0, -1) : json
  return `${escapeControls(body)}\n`
}

/** Escapes so that strings stay escaped after JSON.parse: the pretty printer then prints one line per record. */
function escapeTwice(json: string): string {
  return escapeRecord(json).replace(/\\(\\|"|\/|u[0-9a-fA-F]{4}|[bfnrt])/g, (sequence, kind: string) =>
    kind === '\\' || kind === '"' || kind === '/' ? sequence : `\\${sequence}`,
  )
}
