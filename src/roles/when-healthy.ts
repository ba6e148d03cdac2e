import { type Clock, createDeferred, every } from '../kernel/index.js'

const HEALTH_CHECK_MS = 1000

/**
 * Resolves once a role can serve. Checks at once, then every second until the signal aborts; after that it stays pending.
 *
 * @param reason why it cannot; undefined when it can.
 */
export function whenHealthy(
  clock: Clock,
  reason: () => string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const healthy = createDeferred<void>()
  if (reason() === undefined) healthy.resolve()
  else {
    const found = new AbortController()
    const check = async () => {
      if (reason() !== undefined) return
      found.abort()
      healthy.resolve()
    }
    void every(clock, HEALTH_CHECK_MS, AbortSignal.any([signal, found.signal]), check, () => {})
  }
  return healthy.promise
}
