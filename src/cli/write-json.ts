import { escapeControlsInLines } from '../kernel/index.js'

/**
 * One document on standard output, and a line feed. Control and bidirectional characters of foreign text can only stand inside
 * its strings, where `\uXXXX` means the same: every parser reads what it would have read, and a terminal obeys nothing.
 *
 * @param indent 0 writes one line.
 */
export function writeJson(document: unknown, indent = 2): void {
  process.stdout.write(`${escapeControlsInLines(JSON.stringify(document, null, indent))}\n`)
}
