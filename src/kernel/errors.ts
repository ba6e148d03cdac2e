/**
 * What went wrong in kind, which decides the exit status of the process (table in cli/exit-status.ts).
 *
 * - `runtime` something failed at run time
 * - `usage` a flag, variable, file or wallet from the operator is wrong
 * - `chain` wrong network, hotkey not registered, no permit
 * - `unreachable` the chain, or the service that reports the public IP, is unreachable or currently misbehaves; a
 *   supervisor should restart the process
 * - `upstream` an inference server (upstream or engine) is unavailable
 * - `verification` an answer failed verification
 * - `update` an update failed and the old version was kept
 * - `hotkey-in-use` another process uses this hotkey
 */
export type Fault =
  | 'runtime'
  | 'usage'
  | 'chain'
  | 'unreachable'
  | 'upstream'
  | 'verification'
  | 'update'
  | 'hotkey-in-use'

export interface ErrorDetail {
  /** Stable, SCREAMING_SNAKE_CASE, listed in docs/errors.md. */
  readonly code: string
  readonly fault: Fault
  /** What the reader should do, as one instruction. */
  readonly next?: string
  /** Facts about the failure that are safe to log. */
  readonly facts?: Readonly<Record<string, unknown>>
}

/** An error an operator can act on: the message says what failed and why, `next` what to do. */
export class TargonError extends Error {
  override readonly name = 'TargonError'
  readonly code: string
  readonly fault: Fault
  readonly next: string | undefined
  readonly facts: Readonly<Record<string, unknown>>

  constructor(message: string, detail: ErrorDetail, options?: ErrorOptions) {
    super(message, options)
    this.code = detail.code
    this.fault = detail.fault
    this.next = detail.next
    this.facts = detail.facts ?? {}
  }
}

/** A deadline passed; an abort by the caller is never reported this way. */
export class DeadlineError extends TargonError {
  constructor(what: string, timeoutMs: number, options?: ErrorOptions) {
    super(
      `${sentence(what)} did not finish within ${timeoutMs < 10_000 ? `${timeoutMs} ms` : `${timeoutMs / 1000} s`}.`,
      {
        code: 'DEADLINE',
        fault: 'runtime',
        next: 'Try again. If it recurs, check the load of this machine and of the service it waited for.',
        facts: { what, timeoutMs },
      },
      options,
    )
  }
}

function sentence(what: string): string {
  return what.charAt(0).toUpperCase() + what.slice(1)
}

/** True for the rejection of an aborted operation: a shutdown, not a failure. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'ResponseAborted')
}

/** True for an error with this Node-style code (`ENOENT`). */
export function hasCode<Code extends string>(
  error: unknown,
  code: Code,
): error is Error & { readonly code: Code } {
  return error instanceof Error && 'code' in error && error.code === code
}

/**
 * The message of any thrown value; never empty. Node reports a host whose addresses all failed as an AggregateError without a
 * message: that is the messages of its errors, joined. Another error without a message is known by its cause, code or name.
 * Some libraries wrap an error in one that only says that something failed; that is the message of the wrapped error.
 */
export function messageOf(error: unknown): string {
  return describe(error, 0)
}

/**
 * Messages of wrapping errors that leave the reason to their `cause`: of drizzle, which repeats the query with all its values,
 * of `fetch`, and of the openai package.
 */
const WRAPPERS: readonly RegExp[] = [/^Failed query: /, /^fetch failed$/, /^Connection error\.$/]

const MAX_DEPTH = 4
const MAX_INNER = 8

function describe(error: unknown, depth: number): string {
  if (!(error instanceof Error)) return String(error) || 'no reason given'
  const isWrapper = error.cause !== undefined && WRAPPERS.some((pattern) => pattern.test(error.message))
  if (error.message !== '' && !(isWrapper && depth < MAX_DEPTH)) return error.message
  if (depth < MAX_DEPTH) {
    const inner = error instanceof AggregateError ? error.errors.slice(0, MAX_INNER) : []
    if (inner.length > 0) return [...new Set(inner.map((one) => describe(one, depth + 1)))].join('; ')
    if (error.cause !== undefined) return describe(error.cause, depth + 1)
  }
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
