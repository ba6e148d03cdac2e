import type { KeyLimits, LimitReason, Refusal } from './types.js'

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000
/** When to try again after a refusal that ends as soon as a running request does. */
const SOON_MS = 1000

/** What the database has on a key, its row locked. */
export interface KeyState {
  readonly limits: KeyLimits
  readonly revokedAtMs?: number
  /** Tokens debited since the key was created. */
  readonly spentTokens: number
  /** The day of `dayTokens`, counted from 1970 in UTC. */
  readonly day: number
  readonly dayTokens: number
  /** The minute of `minuteRequests`, counted from 1970. */
  readonly minute: number
  readonly minuteRequests: number
}

/** What the requests of a key that run now have reserved. */
export interface Held {
  readonly requests: number
  readonly tokens: number
}

/**
 * What a key may still use. Debits and reservations together never exceed a limit: the day of a debit is that in which the
 * request ends, and until then its reservation counts in every day.
 */
export class Balance {
  spentTokens: number
  day: number
  dayTokens: number
  minute: number
  minuteRequests: number
  #requests: number
  #tokens: number

  constructor(
    private readonly state: KeyState,
    held: Held,
    private readonly nowMs: number,
  ) {
    this.spentTokens = state.spentTokens
    this.day = periodOf(state.day, nowMs, DAY_MS)
    this.dayTokens = this.day === state.day ? state.dayTokens : 0
    this.minute = periodOf(state.minute, nowMs, MINUTE_MS)
    this.minuteRequests = this.minute === state.minute ? state.minuteRequests : 0
    this.#requests = held.requests
    this.#tokens = held.tokens
  }

  /** Debits tokens of a request that has ended; its reservation is no longer among those held. */
  debit(tokens: number): void {
    this.spentTokens += tokens
    this.dayTokens += tokens
  }

  /** Reserves tokens, or says which limit forbids it. */
  reserve(model: string, tokens: number): Refusal | undefined {
    const refusal = this.#refuse(model, tokens)
    if (refusal) return refusal
    this.minuteRequests++
    this.#requests++
    this.#tokens += tokens
    return undefined
  }

  #refuse(model: string, tokens: number): Refusal | undefined {
    const { limits, revokedAtMs } = this.state
    const { models, requestsPerMinute = Infinity, concurrent = Infinity, expiresAtMs = Infinity } = limits
    const { tokensPerDay = Infinity, budgetTokens = Infinity } = limits
    if (revokedAtMs !== undefined) return refused('revoked')
    if (this.nowMs >= expiresAtMs) return refused('expired')
    if (models && !models.includes(model)) return refused('model')
    if (this.spentTokens + this.#tokens + tokens > budgetTokens)
      return refused('budget', this.spentTokens + tokens > budgetTokens ? undefined : SOON_MS)
    if (this.dayTokens + this.#tokens + tokens > tokensPerDay) {
      if (tokens > tokensPerDay) return refused('tokens-per-day')
      const isSpent = this.dayTokens + tokens > tokensPerDay
      return refused('tokens-per-day', isSpent ? this.#until(this.day, DAY_MS) : SOON_MS)
    }
    if (this.minuteRequests >= requestsPerMinute)
      return refused('requests', this.#until(this.minute, MINUTE_MS))
    if (this.#requests >= concurrent) return refused('concurrent', SOON_MS)
    return undefined
  }

  /** Milliseconds until the period after this one. */
  #until(period: number, lengthMs: number): number {
    return Math.max(1, (period + 1) * lengthMs - this.nowMs)
  }
}

/**
 * The current period. A clock that was set back by less than one period does not bring an earlier one back, whose count would
 * start again.
 */
function periodOf(known: number, nowMs: number, lengthMs: number): number {
  const current = Math.floor(nowMs / lengthMs)
  return known === current + 1 ? known : current
}

function refused(reason: LimitReason, retryAfterMs?: number): Refusal {
  return { kind: 'refused', reason, ...(retryAfterMs !== undefined && { retryAfterMs }) }
}
