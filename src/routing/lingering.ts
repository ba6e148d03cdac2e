import type { ServerResponse } from 'node:http'
import type { Clock } from '../kernel/index.js'
import type { Deadlines, Timed } from './deadlines.js'

/** The last bytes of an answer may still wait for a caller that does not read: it gets as long as any reader, then it is cut. */
export function watchLastBytes(
  clock: Clock,
  deadlines: Deadlines,
  response: ServerResponse,
  readerTimeoutMs: number,
): void {
  if (response.writableFinished || response.destroyed) return
  const since = clock.monotonic()
  const item: Timed = {
    check: (now) => {
      if (now - since >= readerTimeoutMs) response.destroy()
    },
  }
  deadlines.watch(item)
  response.once('close', () => deadlines.forget(item))
}
