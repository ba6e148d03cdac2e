/** What a key may use; a member that is absent sets no limit. */
export interface KeyLimits {
  /** Requests that may start in a minute of the clock. */
  readonly requestsPerMinute?: number
  /** Tokens, of prompts and answers together, of requests that end on one day of UTC. */
  readonly tokensPerDay?: number
  /** Requests that may run at the same time. */
  readonly concurrent?: number
  /** Tokens that the key may use in all. */
  readonly budgetTokens?: number
  /** The models it may ask. */
  readonly models?: readonly string[]
  /** Milliseconds since 1970 from which the key is refused. */
  readonly expiresAtMs?: number
}

export interface ApiKey {
  /** `key_…`: what logs, metrics and lists name the key by. The secret cannot be derived from it. */
  readonly id: string
  readonly name: string
  readonly limits: KeyLimits
  /** Answers of this key may be kept for validators. */
  readonly isRetained: boolean
  readonly createdAtMs: number
  readonly revokedAtMs?: number
}

export type LimitReason =
  | 'requests'
  | 'tokens-per-day'
  | 'concurrent'
  | 'budget'
  | 'model'
  | 'expired'
  | 'revoked'

export interface Refusal {
  readonly kind: 'refused'
  readonly reason: LimitReason
  /** When the same request could be accepted; absent when waiting does not help. */
  readonly retryAfterMs?: number
}

/** What a request used, in tokens. */
export interface Use {
  readonly promptTokens: number
  readonly completionTokens: number
}

export interface Reservation {
  readonly kind: 'reserved'
  /**
   * Debits what was used, at most what was reserved, and releases the rest. Call it once; a second call does nothing. Never rejects: while the database
   * cannot be reached it is retried in the background until it is written.
   */
  settle(use: Use): Promise<void>
}

/** What a key has used, in tokens of prompts and answers. */
export interface KeySpend {
  readonly id: string
  readonly name: string
  /** Of requests that ended on this day of UTC. */
  readonly tokensToday: number
  /** Limit of a day; null without one. */
  readonly tokensPerDay: number | null
  /** Since it was created. */
  readonly spentTokens: number
  /** Limit in all; null without one. */
  readonly budgetTokens: number | null
}

/** What the keys of a hub have used. */
export interface Spend {
  /** Those that are not revoked and have used most today, the first with the most. */
  readonly keys: readonly KeySpend[]
  /** All others that are not revoked, together. */
  readonly others: { readonly keys: number; readonly tokensToday: number }
}

/** The keys of the hub, and what each may still use. */
export interface Accounts {
  /**
   * The key with this secret; undefined when there is none or it is revoked. Answers from a short cache: a revoked key stops within 5 s.
   *
   * @throws TargonError ACCOUNTS_UNAVAILABLE
   */
  find(secret: string): Promise<ApiKey | undefined>
  /**
   * Reserves tokens of a key before its request starts.
   *
   * @param request.tokens the most that the request can use, prompt and answer together
   * @throws TargonError ACCOUNTS_UNAVAILABLE; the signal's reason
   */
  reserve(
    key: ApiKey,
    request: { readonly model: string; readonly tokens: number },
    signal: AbortSignal,
  ): Promise<Reservation | Refusal>
  /**
   * What the keys have used, of all hubs that share the database.
   *
   * @param most keys that are listed one by one
   * @throws TargonError ACCOUNTS_UNAVAILABLE; the signal's reason
   */
  spend(most: number, signal: AbortSignal): Promise<Spend>
  /** Why the database cannot be used; undefined while it can. */
  trouble(): string | undefined
  /** Writes the settlements that wait, as far as the database can be reached, and closes it. */
  close(): Promise<void>
}
