import type { BlockHead } from './types.js'

/** Heads with strictly increasing numbers for any number of readers; a slow reader skips to the newest. */
export interface HeadStream {
  readonly latest: BlockHead | undefined
  /** @returns false when the number does not increase: a repeat, a re-org or a lagging endpoint. */
  publish(head: BlockHead): boolean
  /** Ends when the signal aborts or the stream is closed. */
  read(signal: AbortSignal): AsyncIterable<BlockHead>
  close(): void
}

export function createHeadStream(): HeadStream {
  let latest: BlockHead | undefined
  let closed = false
  /** One per waiting reader; a shared promise would accumulate their callbacks. */
  const waiters = new Set<() => void>()

  function wakeAll(): void {
    for (const wake of waiters) wake()
    waiters.clear()
  }

  return {
    get latest() {
      return latest
    },
    publish(head) {
      if (closed || (latest !== undefined && head.number <= latest.number)) return false
      latest = head
      wakeAll()
      return true
    },
    async *read(signal) {
      let seen = -1
      let wake = () => {}
      const onAbort = () => wake()
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        while (!signal.aborted && !closed) {
          if (latest !== undefined && latest.number > seen) {
            seen = latest.number
            yield latest
          } else {
            await new Promise<void>((resolve) => {
              wake = resolve
              waiters.add(resolve)
            })
          }
        }
      } finally {
        waiters.delete(wake)
        signal.removeEventListener('abort', onAbort)
      }
    },
    close() {
      closed = true
      wakeAll()
    },
  }
}
