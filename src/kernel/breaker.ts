import type { Clock } from './clock.js'

export interface BreakerOptions {
  readonly clock: Clock
  /** Returns 0 ≤ x < 1 and jitters each pause by ±50 %. Without it pauses are exact. */
  readonly random?: () => number
  /** Consecutive failures that open the breaker. */
  readonly threshold?: number
  readonly firstPauseMs?: number
  readonly longestPauseMs?: number
}

/** A circuit breaker: opens for a growing pause while a server fails, then lets one probe through. */
export interface Breaker {
  /** Whether a request may be sent now. */
  allows(): boolean
  /** Call before sending: claims the single probe of a half-open breaker. */
  begin(): void
  succeeded(): void
  failed(): void
  /** The request ended without a verdict on the server, for example because the caller left. */
  abandoned(): void
  state(): 'closed' | 'open' | 'half-open'
}

export function createBreaker(options: BreakerOptions): Breaker {
  const { clock, random = () => 0.5, threshold = 3, firstPauseMs = 1000, longestPauseMs = 30_000 } = options
  let failures = 0
  let openings = 0
  let openUntil = 0
  let isProbing = false
  const isTripped = () => openUntil > 0
  const isPausing = () => clock.monotonic() < openUntil

  const open = () => {
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** openings)
    openings++
    openUntil = clock.monotonic() + pauseMs * (0.5 + random())
  }
  return {
    allows: () => !isTripped() || (!isPausing() && !isProbing),
    begin: () => {
      if (isTripped()) isProbing = true
    },
    succeeded: () => {
      failures = 0
      openings = 0
      openUntil = 0
      isProbing = false
    },
    failed: () => {
      failures++
      const wasProbe = isProbing
      isProbing = false
      if (wasProbe || (failures >= threshold && !isTripped())) open()
    },
    abandoned: () => {
      isProbing = false
    },
    state: () => (!isTripped() ? 'closed' : isPausing() ? 'open' : 'half-open'),
  }
}
