/** Fields of one record. */
export interface LogFields {
  /** Stable kebab-case code of what happened, listed in docs/log-events.md: what programs and tests look for. */
  readonly event: string
  /** What was thrown; the sink prints its type, message, code and next step. */
  readonly err?: unknown
  readonly [field: string]: unknown
}

type Write = (fields: LogFields, message: string) => void

/** The log as a module sees it: pino's logger, narrowed so that no record goes without its event code. */
export interface Log {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
  isLevelEnabled(level: 'debug'): boolean
  /** A log that adds these fields to every record. */
  child(fields: Readonly<Record<string, unknown>>): Log
}
