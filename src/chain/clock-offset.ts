import type { ChainContext } from './context.js'
import type { Session } from './session.js'
import type { BlockHead } from './types.js'

/** A block is at most this old on arrival, after production, import and propagation; more is a clock error. */
const USUAL_AGE_MS = 15_000
/** Block producers' clocks are not exact either. */
const TOLERATED_LEAD_MS = 5_000
const CHECK_INTERVAL_MS = 300_000
/** A single late block proves nothing. */
const CHECKS_TO_CONFIRM = 2

/**
 * Compares the local clock with the timestamp of a new block every five minutes, and at every block while they differ:
 * signed requests with a wrong time are rejected by their receivers. A lagging endpoint looks like a clock that is ahead.
 *
 * @returns milliseconds by which the local clock is at least ahead of the chain, negative if behind; 0 while they agree
 *   within the precision of block times, and before a second check confirms a difference.
 */
export function watchClockOffset(
  { clock, log, signal }: Pick<ChainContext, 'clock' | 'log' | 'signal'>,
  session: Pick<Session, 'heads' | 'link'>,
): () => number {
  let offsetMs = 0
  let checksOff = 0
  let nextCheckAt = clock.monotonic()

  const check = async ({ hash }: BlockHead) => {
    const arrivedAtMs = clock.now()
    const { runtime } = session.link
    const madeAtMs = Number(await runtime.read('Now', [], { pallet: 'Timestamp', blockHash: hash, signal }))
    // A chain without timestamps has nothing to compare with.
    const seenMs = madeAtMs > 0 ? offsetOf(arrivedAtMs - madeAtMs) : 0
    if (seenMs === 0) nextCheckAt = clock.monotonic() + CHECK_INTERVAL_MS
    checksOff = seenMs === 0 ? 0 : checksOff + 1
    const before = offsetMs
    offsetMs = checksOff < CHECKS_TO_CONFIRM ? 0 : seenMs
    if (before === 0 && offsetMs !== 0) {
      const next = 'Check NTP on this machine, then check whether the chain endpoint lags.'
      log.error(
        { event: 'clock-skewed', seconds: Math.round(offsetMs / 1000), next },
        'local clock differs from the time of new blocks',
      )
    }
    if (before !== 0 && offsetMs === 0)
      log.info({ event: 'clock-agrees' }, 'local clock agrees with the chain again')
  }

  const watch = async () => {
    let isFirst = true
    for await (const head of session.heads.read(signal)) {
      // The first head may be old already.
      if (!isFirst && clock.monotonic() >= nextCheckAt)
        await check(head).catch((error: unknown) => {
          if (!signal.aborted)
            log.info({ event: 'block-time-unreadable', err: error }, 'could not read the time of a block')
        })
      isFirst = false
    }
  }
  watch().catch((error: unknown) =>
    log.warn({ event: 'clock-check-failed', err: error }, 'stopped comparing the local clock with the chain'),
  )
  return () => offsetMs
}

/** @param ageMs age of a block on arrival, by the local clock. */
function offsetOf(ageMs: number): number {
  if (ageMs < -TOLERATED_LEAD_MS) return ageMs
  return Math.max(0, ageMs - USUAL_AGE_MS)
}
