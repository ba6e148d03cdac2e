import pino, { type LevelWithSilent, type Logger } from 'pino'
import pretty from 'pino-pretty'
import { escapeControls, messageOf, TargonError } from '../kernel/index.js'
import { createRedactor } from './redaction.js'
import { roundNumbers } from './rounding.js'

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
 * Creates the log of a role. One record is one line in which each field occurs once: a field of the call replaces one of the
 * same name that every record carries. A terminal leaves out who writes it. Numbers are rounded, control characters escaped and
 * secrets masked after serialisation, so that nested fields and error messages are covered too.
 */
export function createLogger(options: LoggerOptions): Logger {
  const redact = createRedactor(options.secrets)
  const { destination, copy } = options
  const json = (record: string) => escapeRecord(redact(JSON.stringify(roundNumbers(JSON.parse(record)))))
  const line = options.pretty ? terminalLine(options, redact) : json
  const log = openPino(options, (record) => {
    destination.write(line(record))
    copy?.write(json(record))
  })
  destination.describeLoss?.((lines) => line(lossRecord(options, lines)))
  copy?.describeLoss?.((lines) => json(lossRecord(options, lines)))
  return log
}

function terminalLine({ base, colour }: LoggerOptions, redact: (text: string) => string) {
  const format = prettyFormat(colour)
  return (record: string) =>
    format(redact(JSON.stringify(roundNumbers(withoutIdentity(JSON.parse(record), base)))))
}

/** Who writes the log; a terminal shows these only where a record says something else. */
const IDENTITY = ['role', 'netuid', 'hotkey', 'version']

function withoutIdentity(record: object, base: LoggerOptions['base']): object {
  return Object.fromEntries(
    Object.entries(record).filter(([name, value]) => !IDENTITY.includes(name) || base[name] !== value),
  )
}

/** Fields that the log itself writes; those of a call get an underscore. */
const RESERVED = ['level', 'time', 'msg']

function renameReserved(fields: Record<string, unknown>): Record<string, unknown> {
  if (!RESERVED.some((name) => Object.hasOwn(fields, name))) return fields
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [RESERVED.includes(name) ? `${name}_` : name, value]),
  )
}

function openPino({ level, base }: LoggerOptions, write: (record: string) => void): Logger {
  return pino(
    {
      level,
      base: { ...base },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: renameReserved },
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
    ignore: 'pid,hostname',
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
