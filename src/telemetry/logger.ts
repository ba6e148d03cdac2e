import pino, { type DestinationStream, type LevelWithSilent, type Logger } from 'pino'
import pretty from 'pino-pretty'
import { messageOf, TargonError } from '../kernel/index.js'
import { escapeRecord, escapeTwice } from './escaped-records.js'
import { createRedactor } from './redaction.js'

export interface LoggerOptions {
  readonly level: LevelWithSilent
  /** Fields of every record: role, netuid, hotkey, version. */
  readonly base: Readonly<Record<string, unknown>>
  /** Lines for people instead of JSON. */
  readonly pretty: boolean
  /** Colours, when pretty. Default: as the terminal allows. */
  readonly colour?: boolean
  /** Where records go, default file descriptor 2, written synchronously so that nothing is lost on exit. */
  readonly destination?: DestinationStream
  /** A second place for records, always JSON (a log file). */
  readonly copy?: DestinationStream
  /** Values that must never be written; a `Set` may grow later. */
  readonly secrets: Iterable<string>
}

/**
 * The log of a role: one record is one line, control characters are escaped and known secrets are masked at the sink,
 * after serialisation, so that no path through an object or an error message escapes it.
 */
export function createLogger(options: LoggerOptions): Logger {
  const redact = createRedactor(options.secrets)
  // Standard error on a full disk, or closed: the record is lost, what it tells of goes on.
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

/** An error as fields: what an operator reads, and the stack only when asked for more. */
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
