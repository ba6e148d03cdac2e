import { stderr } from 'node:process'
import { detachedClock, LineWriter, maskPasswords, openOutput } from '../kernel/index.js'

let writer: LineWriter | undefined

/**
 * Standard error, written without waiting for its reader, so that a terminal or pipe that nobody reads cannot stop a neuron. From
 * the first call on, everything this program prints there goes the same way and keeps its order.
 */
export function unblockStandardError(): LineWriter {
  if (writer) return writer
  // Loading Node's own stream makes a pipe non-blocking, also for what Node prints before it dies.
  stderr.on('error', () => {})
  const opened = new LineWriter(openOutput(stderr.fd), { clock: detachedClock })
  process.once('exit', () => opened.flush())
  writer = opened
  return opened
}

/** Writes text in which the passwords of addresses are masked: a warning or an error may repeat a setting. */
export function writeToStandardError(text: string): void {
  const masked = maskPasswords(text)
  if (writer) writer.write(masked)
  else stderr.write(masked)
}
