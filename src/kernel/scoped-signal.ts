import { setMaxListeners } from 'node:events'

/** Many calls may wait on one signal; Node would warn of a leak from eleven on. Those who call this remove their listeners. */
export function allowManyListeners(signal: AbortSignal): void {
  setMaxListeners(0, signal)
}

/**
 * Runs `work` with a signal that follows `signals` only until the work is done. got keeps listening to its signal after
 * the response ended, so a later abort would become an unhandled error; and on Node 20 each `AbortSignal.any` leaks an
 * entry on a long-lived signal.
 */
export async function withScopedSignal<T>(
  signals: AbortSignal | readonly AbortSignal[],
  work: (scoped: AbortSignal) => Promise<T>,
): Promise<T> {
  const scoped = new AbortController()
  const followed = [signals].flat().map((signal) => {
    signal.throwIfAborted()
    allowManyListeners(signal)
    return { signal, follow: () => scoped.abort(signal.reason) }
  })
  for (const { signal, follow } of followed) signal.addEventListener('abort', follow, { once: true })
  try {
    return await work(scoped.signal)
  } finally {
    for (const { signal, follow } of followed) signal.removeEventListener('abort', follow)
  }
}
