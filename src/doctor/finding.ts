/** `skip`: could not be looked at, because what it needs is at fault or absent; `fail` names a fault that must be mended. */
export type FindingState = 'ok' | 'warn' | 'fail' | 'skip'

/** One thing that a check saw, and what to do about it. */
export interface Finding {
  /** Id of the check. */
  readonly check: string
  readonly state: FindingState
  /** A sentence. */
  readonly saw: string
  /** An instruction; present for `warn` and `fail`. */
  readonly next?: string
}

/** What a check returns; the runner adds its id. */
export type Seen = Omit<Finding, 'check'>

export function ok(saw: string): Seen {
  return { state: 'ok', saw }
}

export function skip(saw: string): Seen {
  return { state: 'skip', saw }
}

export function warn(saw: string, next: string): Seen {
  return { state: 'warn', saw, next }
}

export function fail(saw: string, next: string): Seen {
  return { state: 'fail', saw, next }
}
