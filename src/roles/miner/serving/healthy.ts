import { type Clock, createDeferred, every } from '../../../kernel/index.js'

const LOOK_MS = 1000

/**
 * Resolves once nothing speaks against the miner: it listens, its hotkey is registered, an upstream answers. Asked at
 * once and then each second until the signal aborts; then it stays pending.
 *
 * @param lack why the miner cannot serve now; undefined when it can.
 */
export function whenHealthy(
  clock: Clock,
  lack: () => string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const healthy = createDeferred<void>()
  if (lack() === undefined) healthy.resolve()
  else {
    const found = new AbortController()
    const look = async () => {
      if (lack() !== undefined) return
      found.abort()
      healthy.resolve()
    }
    void every(clock, LOOK_MS, AbortSignal.any([signal, found.signal]), look, () => {})
  }
  return healthy.promise
}
