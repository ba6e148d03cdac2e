import pino, { type DestinationStream, type LevelWithSilent, type Logger } from 'pino'
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
  /** Default: file descriptor 2, written synchronously so that nothing is lost on exit. */
  readonly destination?: DestinationStream
  /** A second destination that always gets JSON (a log file). */
  readonly copy?: DestinationStream
  /** Values to mask; a `Set` may grow later. */
  readonly secrets: Iterable<string>
}

/**
 * Creates the log of a role. One record is one line. Control characters are escaped and secrets masked after
 * serialisation, so that nested fields and error messages are covered too.
 */
export function createLogger(options: LoggerOptions): Logger {
  const redact = createRedactor(options.secrets)
  // If stderr is closed or its disk is full, the record is lost but the process continues.
  const sink = options.destination ?? pino.destination({ fd: 2, sync: true }).on('error', () => undefined)
  const print = options.pretty ? prettyPrinter(sink, options.colour) : plainPrinter(sink)
  const { copy } = options
  const stream: DestinationStream = {
    write: (record) => {
      const clean = redact(record)
      print(clean)
      copy?.write(escapeRecord(clean))
    },
  }
  return pino(
    {
      level: options.level,
      base: { ...options.base },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: errorFields(options.level === 'trace' || options.level === 'debug') },
    },
    stream,
  )
}

/** An error as log fields; the stack only at debug level and below. */
function errorFields(withStack: boolean) {
  return (error: unknown): unknown => {
    if (!(error instanceof Error)) return error
    const { message, name, stack, cause } = error
    const code = 'code' in error ? error.code : undefined
    const next = error instanceof TargonError ? error.next : undefined
    return {
      type: name,
      message,
      ...(code === undefined ? {} : { code }),
      ...(next === undefined ? {} : { next }),
      ...(cause === undefined ? {} : { cause: messageOf(cause) }),
      ...(withStack ? { stack } : {}),
    }
  }
}

type Print = (record: string) => void

function plainPrinter(sink: DestinationStream): Print {
  return (record) => sink.write(escapeRecord(record))
}

function prettyPrinter(sink: DestinationStream, colour: boolean | undefined): Print {
  const format = pretty.prettyFactory({
    ...(colour === undefined ? {} : { colorize: colour }),
    ignore: 'role,netuid,hotkey,version,pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
    errorLikeObjectKeys: [],
  })
  return (record) => {
    const line = format(escapeTwice(record))
    if (line !== undefined) sink.write(line)
  }
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
