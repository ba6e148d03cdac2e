import { escapeControls, type TargonError } from '../kernel/index.js'
import { exitStatus } from './exit-status.js'

/** What, why and what to do, in one line on standard error; what a peer had a part in commands no terminal. */
export function writeError(error: TargonError): void {
  const words = `Error [${error.code}]: ${[error.message, error.next].filter(Boolean).join(' ')}`
  process.stderr.write(`${escapeControls(words.replaceAll(/\s*\n\s*/g, ' '))}\n`)
}

/** The same as the document `--json` prints. */
export function errorDocument(error: TargonError): { readonly error: object } {
  const { code, message, next, facts } = error
  return {
    error: { code, message, ...(next === undefined ? {} : { next }), facts, exitStatus: exitStatus(error) },
  }
}
