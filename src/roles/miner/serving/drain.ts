import type { Clock } from '../../../kernel/index.js'

const LOOK_MS = 50

/** Waits until nothing is in flight or the time is up. @returns what was still in flight. */
export async function waitUntilIdle(
  clock: Clock,
  inFlight: () => number,
  timeoutMs: number,
): Promise<number> {
  const until = clock.monotonic() + timeoutMs
  while (inFlight() > 0 && clock.monotonic() < until) await clock.sleep(LOOK_MS)
  return inFlight()
}
