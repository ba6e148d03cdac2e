import type { BlockHead } from './types.js'

/** Heads with strictly rising numbers for any number of readers; a slow reader finds the newest, never a queue. */
export interface HeadStream {
  readonly latest: BlockHead | undefined
  /** @returns false when the number does not rise: a repeat, a re-org, or a lagging endpoint. */
  publish(head: BlockHead): boolean
  /** Ends when the signal aborts or the stream is closed. */
  read(signal: AbortSignal): AsyncIterable<BlockHead>
  close(): void
}

export function createHeadStream(): HeadStream {
  let latest: BlockHead | undefined
  let closed = false
  let wake: () => void = () => {}
  let next = new Promise<void>((resolve) => {
    wake = resolve
  })

  function announce(): void {
    const announceNow = wake
    next = new Promise<void>((resolve) => {
      wake = resolve
    })
    announceNow()
  }

  return {
    get latest() {
      return latest
    },
    publish(head) {
      if (closed || (latest !== undefined && head.number <= latest.number)) return false
      latest = head
      announce()
      return true
    },
    async *read(signal) {
      let seen = -1
      const stopped = new Promise<void>((resolve) => {
        if (signal.aborted) resolve()
        else signal.addEventListener('abort', () => resolve(), { once: true })
      })
      while (!signal.aborted && !closed) {
        if (latest !== undefined && latest.number > seen) {
          seen = latest.number
          yield latest
        } else {
          await Promise.race([next, stopped])
        }
      }
    },
    close() {
      closed = true
      announce()
    },
  }
}
