import { format } from 'node:util'
import type { Logger } from 'pino'

/**
 * Logs what Node and libraries would print themselves. Printed directly, it would wait for the reader of standard error, and would
 * not be a record.
 *
 * @returns a function that undoes it
 */
export function logLibraryOutput(log: Logger): () => void {
  const { debug, info, log: print, warn, error } = console
  const onOutput = (...words: unknown[]) =>
    log.info({ event: 'library-output', text: format(...words) }, 'a library printed a message')
  const onTrouble = (...words: unknown[]) =>
    log.warn({ event: 'library-warning', text: format(...words) }, 'a library printed a warning')
  Object.assign(console, {
    debug: onOutput,
    info: onOutput,
    log: onOutput,
    warn: onTrouble,
    error: onTrouble,
  })
  const printers = process.listeners('warning')
  const onWarning = (warning: Error) => {
    log.warn({ event: 'runtime-warning', err: warning }, 'Node.js warns of a possible defect')
  }
  process.removeAllListeners('warning')
  process.on('warning', onWarning)
  return () => {
    Object.assign(console, { debug, info, log: print, warn, error })
    process.removeListener('warning', onWarning)
    for (const printer of printers) process.on('warning', printer)
  }
}
