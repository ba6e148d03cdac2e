import { escapeControls, escapeControlsInLines, maskPasswords, type TargonError } from '../kernel/index.js'
import { exitStatus } from './exit-status.js'
import { writeToStandardError } from './standard-error.js'

/** Where bugs are reported; `bugs` of package.json. */
export const ISSUES_URL = 'https://github.com/manifold-inc/targon/issues'

/** Writes a miner's text to stdout: unchanged into a pipe or file, with control sequences escaped on a terminal. */
export function writeAnswer(text: string): void {
  process.stdout.write(process.stdout.isTTY ? escapeControlsInLines(text) : text)
}

/**
 * Writes one JSON document and a line feed to stdout. Control and bidirectional characters can only occur inside its strings,
 * where `\uXXXX` is equivalent, so escaping them changes nothing for a parser.
 *
 * @param indent 0 writes one line.
 */
export function writeJson(document: unknown, indent = 2): void {
  process.stdout.write(`${escapeControlsInLines(JSON.stringify(document, null, indent))}\n`)
}

/** Writes message and next step as one line to stderr; escaped, because a peer may have supplied part of the text. */
export function writeError(error: TargonError): void {
  const line = `Error [${error.code}]: ${[error.message, error.next].filter(Boolean).join(' ')}`
  writeToStandardError(`${escapeControls(line.replaceAll(/\s*\n\s*/g, ' '))}\n`)
}

/** The error as the document that `--json` prints. */
export function errorDocument(error: TargonError): { readonly error: object } {
  const { code, message, next, facts } = error
  const document = { code, message, ...(next === undefined ? {} : { next }), facts }
  return { error: { ...JSON.parse(maskPasswords(JSON.stringify(document))), exitStatus: exitStatus(error) } }
}
