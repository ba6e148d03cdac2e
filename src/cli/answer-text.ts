import { escapeControlsInLines } from '../kernel/index.js'

/** Writes foreign text to stdout: exactly as it came into a pipe or file, without control sequences on a terminal. */
export function writeAnswer(text: string): void {
  process.stdout.write(process.stdout.isTTY ? escapeControlsInLines(text) : text)
}
