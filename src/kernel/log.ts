/** Fields of one log record. */
export interface LogFields {
  /** Stable kebab-case code listed in docs/log-events.md; programs and tests match on it. */
  readonly event: string
  /** A thrown value; its type, message, code and next step are printed. */
  readonly err?: unknown
  readonly [field: string]: unknown
}

type Write = (fields: LogFields, message: string) => void

/** pino's logger, narrowed so that every record has an event code. */
export interface Log {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
  isLevelEnabled(level: 'debug'): boolean
  /** A logger that adds these fields to every record. */
  child(fields: Readonly<Record<string, unknown>>): Log
}
