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

/** Whether a connection failed because this process or host has no file descriptor left: never the fault of the peer. */
export function isDescriptorShortage(error: unknown): boolean {
  if (error instanceof AggregateError && error.errors.some(isDescriptorShortage)) return true
  return hasCode(error, 'EMFILE') || hasCode(error, 'ENFILE')
}
