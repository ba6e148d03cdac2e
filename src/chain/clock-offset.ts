import type { Clock } from '../kernel/index.js'
import type { ChainLog, Session } from './session.js'
import type { BlockHead } from './types.js'

/** Made, imported and passed on, a block is at most so old when it arrives; what is beyond is a clock's doing. */
const USUAL_AGE_MS = 15_000
/** No block comes before its time, but those who make them have clocks, too. */
const TOLERATED_LEAD_MS = 5_000
const LOOK_MS = 300_000
/** One block that came late proves nothing. */
const LOOKS_TO_BELIEVE = 2

export interface ClockOffsetOptions {
  readonly session: Pick<Session, 'heads' | 'link'>
  readonly clock: Clock
  readonly log: ChainLog
  readonly signal: AbortSignal
}

/**
 * Compares the wall clock with the time of a block that has just arrived, every five minutes, and at every block while they
 * differ: signed requests of a clock that is off are refused by everybody. An endpoint that lags looks like a clock ahead.
 *
 * @returns milliseconds by which this machine's clock is surely ahead of the chain's, negative when behind. 0 while both
 *   agree as far as the time of a block tells, and before the second look.
 */
export function watchClockOffset({ session, clock, log, signal }: ClockOffsetOptions): () => number {
  let offsetMs = 0
  let looksOff = 0
  let lookAt = clock.monotonic()

  const look = async ({ hash }: BlockHead) => {
    const arrivedAtMs = clock.now()
    const { runtime } = session.link
    const madeAtMs = Number(await runtime.read('Now', [], { pallet: 'Timestamp', blockHash: hash, signal }))
    // A chain without time of its own has nothing to compare with.
    const seenMs = madeAtMs > 0 ? surelyAhead(arrivedAtMs - madeAtMs) : 0
    if (seenMs === 0) lookAt = clock.monotonic() + LOOK_MS
    looksOff = seenMs === 0 ? 0 : looksOff + 1
    const before = offsetMs
    offsetMs = looksOff < LOOKS_TO_BELIEVE ? 0 : seenMs
    if (before === 0 && offsetMs !== 0) {
      const next = 'Check NTP on this machine, then whether the chain endpoint lags.'
      log.error(
        { event: 'clock-skewed', seconds: Math.round(offsetMs / 1000), next },
        'local clock disagrees with the time of new blocks',
      )
    }
    if (before !== 0 && offsetMs === 0)
      log.info({ event: 'clock-agrees' }, 'local clock agrees with the chain again')
  }

  const watch = async () => {
    let isFirst = true
    for await (const head of session.heads.read(signal)) {
      // The newest at the start may have been there for long.
      if (!isFirst && clock.monotonic() >= lookAt)
        await look(head).catch((error: unknown) => {
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

/** @param ageMs of a block at its arrival, by this machine's clock. */
function surelyAhead(ageMs: number): number {
  if (ageMs < -TOLERATED_LEAD_MS) return ageMs
  return Math.max(0, ageMs - USUAL_AGE_MS)
}
