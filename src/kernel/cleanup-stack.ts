import { type Clock, withDeadline } from './clock.js'
import type { Log } from './log.js'

/** Closes parts in reverse order of opening, each with a deadline; one that fails does not keep the rest open. */
export interface CleanupStack {
  add(part: string, close: () => Promise<void> | void): void
  closeAll(): Promise<void>
}

const CLOSE_TIMEOUT_MS = 5000

export function createCleanupStack(clock: Clock, log: Log): CleanupStack {
  const stack: { readonly part: string; readonly close: () => Promise<void> | void }[] = []
  return {
    add: (part, close) => {
      stack.push({ part, close })
    },
    closeAll: async () => {
      for (let next = stack.pop(); next; next = stack.pop()) {
        const { part, close } = next
        try {
          await withDeadline(clock, `closing ${part}`, CLOSE_TIMEOUT_MS, undefined, async () => close())
        } catch (error) {
          log.warn({ event: 'close-failed', part, err: error }, 'could not close a resource cleanly')
        }
      }
    },
  }
}
