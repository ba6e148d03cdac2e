/**
 * Who has to act, and with it the exit status of the process (cli/exit-status.ts has the table).
 *
 * - `runtime` something failed while running
 * - `usage` a flag, variable, file or wallet given by the operator is wrong
 * - `chain` another network, hotkey not registered, no permit
 * - `unreachable` nobody's fault here: the chain, or the service that tells our own address, cannot be reached or does not
 *   answer as it should at the moment; a supervisor starts the process again
 * - `upstream` an inference server (upstream or engine) is unavailable
 * - `verification` an answer did not pass verification
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
  /** Stable, SCREAMING_SNAKE_CASE; documented in docs/errors.md. */
  readonly code: string
  readonly fault: Fault
  /** What the reader should do next, one sentence. */
  readonly next?: string
  /** Facts about the failure, safe to log: no secrets. */
  readonly facts?: Readonly<Record<string, unknown>>
}

/** An error an operator can act on: the message names the thing and says why, `next` says what to do. */
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

/** A wait ended because its deadline passed; never confused with an abort asked for by the caller. */
export class DeadlineError extends TargonError {
  constructor(what: string, timeoutMs: number, options?: ErrorOptions) {
    super(
      `${what} did not finish within ${timeoutMs} ms.`,
      {
        code: 'DEADLINE',
        fault: 'runtime',
        next: 'Try again; look at the load of this machine and at what was waited for.',
        facts: { what, timeoutMs },
      },
      options,
    )
  }
}

/** True for the rejection of a wait whose signal was aborted: a shutdown, not a failure. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'ResponseAborted')
}

/** True for an error of Node, or of a package that does as Node does, with this code (`ENOENT`). */
export function hasCode<Code extends string>(
  error: unknown,
  code: Code,
): error is Error & { readonly code: Code } {
  return error instanceof Error && 'code' in error && error.code === code
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
