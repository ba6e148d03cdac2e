import { type Log, type LogFields, messageOf, TargonError } from '../../../kernel/index.js'
import type { ToPrimary } from './to-primary.js'

/** The log of a worker: the primary process writes its records. */
export function createWorkerLog(
  tell: (message: ToPrimary) => void,
  isDebug: boolean,
  base: Readonly<Record<string, unknown>> = {},
): Log {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: LogFields, message: string) => {
    if (level === 'debug' && !isDebug) return
    const err = 'err' in fields ? { err: describeError(fields.err, isDebug) } : {}
    tell({ t: 'log', level, fields: { ...base, ...fields, ...err }, message })
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    isLevelEnabled: () => isDebug,
    child: (fields) => createWorkerLog(tell, isDebug, { ...base, ...fields }),
  }
}

/** Writes a record of a worker; its event and its message are literals where the worker logged it. */
export function writeWorkerRecord(
  target: Log,
  worker: number,
  { level, fields, message }: Extract<ToPrimary, { t: 'log' }>,
): void {
  target[level]({ ...fields, worker }, message)
}

/** What a log shows of an error, as plain data. */
export function describeError(error: unknown, hasStack: boolean): unknown {
  if (!(error instanceof Error)) return error
  const { name, stack, cause } = error
  return {
    type: name,
    message: messageOf(error),
    ...('code' in error ? { code: error.code } : {}),
    ...(error instanceof TargonError ? { next: error.next } : {}),
    ...(cause === undefined ? {} : { cause: messageOf(cause) }),
    ...(hasStack ? { stack } : {}),
  }
}
