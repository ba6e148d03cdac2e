/**
 * Runs `work` with a signal that follows `signals` only until the work is done. got keeps listening to the signal it was
 * given after its response ended, and a later abort then throws where nobody catches; Node 20's `AbortSignal.any` leaves an
 * entry on a long-lived signal for each call, for good.
 */
export async function withScopedSignal<T>(
  signals: AbortSignal | readonly AbortSignal[],
  work: (own: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController()
  const followed = [signals].flat().map((signal) => {
    signal.throwIfAborted()
    return { signal, follow: () => own.abort(signal.reason) }
  })
  for (const { signal, follow } of followed) signal.addEventListener('abort', follow, { once: true })
  try {
    return await work(own.signal)
  } finally {
    for (const { signal, follow } of followed) signal.removeEventListener('abort', follow)
  }
}
