import { readFileSync } from 'node:fs'
import { hasCode } from './errors.js'

/**
 * How many files and connections this process may have open (`ulimit -n`, which Node.js raises to the hard limit when it
 * starts).
 *
 * @returns undefined where the system does not say (only Linux does) or sets no limit
 */
export function descriptorLimit(path = '/proc/self/limits'): number | undefined {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync(path, 'utf8'))?.[1]
    return limit === undefined ? undefined : Number(limit)
  } catch {
    return undefined
  }
}

/** What to do about a shortage of file descriptors. */
export const RAISE_DESCRIPTOR_LIMIT = 'Raise the limit on open files: ulimit -n, or LimitNOFILE in systemd.'

/** An error is caused by others only so many levels down. */
const MAX_DEPTH = 8

/**
 * Whether a call failed because this process or host has no file descriptor left, by the error or one that caused it: never the
 * fault of the peer.
 */
export function isDescriptorShortage(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > MAX_DEPTH) return false
  if (error instanceof AggregateError && error.errors.some((one) => isDescriptorShortage(one, depth + 1)))
    return true
  return hasCode(error, 'EMFILE') || hasCode(error, 'ENFILE') || isDescriptorShortage(error.cause, depth + 1)
}
