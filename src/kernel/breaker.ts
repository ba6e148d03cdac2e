import type { Clock } from './clock.js'

export interface BreakerOptions {
  readonly clock: Clock
  /** 0 ≤ x < 1; spreads the pauses by half each way. Without it they are exact. */
  readonly random?: () => number
  /** Failures in a row that open it. */
  readonly threshold?: number
  readonly firstPauseMs?: number
  readonly longestPauseMs?: number
}

/** Keeps requests away from a server that fails; opens for a growing pause, then lets one trial through. */
export interface Breaker {
  /** True when a request may be sent now. */
  allows(): boolean
  /** A request is being sent: takes the single trial of a half-open breaker. */
  begin(): void
  succeeded(): void
  failed(): void
  /** The trial ended without saying anything about the server (the caller left). */
  abandoned(): void
  state(): 'closed' | 'open' | 'half-open'
}

export function createBreaker(options: BreakerOptions): Breaker {
  const { clock, random = () => 0.5, threshold = 3, firstPauseMs = 1000, longestPauseMs = 30_000 } = options
  let failures = 0
  let openings = 0
  let openUntil = 0
  let onTrial = false
  const isTripped = () => openUntil > 0
  const isPausing = () => clock.monotonic() < openUntil

  const open = () => {
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** openings)
    openings++
    openUntil = clock.monotonic() + pauseMs * (0.5 + random())
  }
  return {
    allows: () => !isTripped() || (!isPausing() && !onTrial),
    begin: () => {
      if (isTripped()) onTrial = true
    },
    succeeded: () => {
      failures = 0
      openings = 0
      openUntil = 0
      onTrial = false
    },
    failed: () => {
      failures++
      const wasTrial = onTrial
      onTrial = false
      if (wasTrial || (failures >= threshold && !isTripped())) open()
    },
    abandoned: () => {
      onTrial = false
    },
    state: () => (!isTripped() ? 'closed' : isPausing() ? 'open' : 'half-open'),
  }
}
