/**
 * refused: the miner says that the request is at fault; busy: it has no room; absent: it does not have the route; failed: it
 * answered badly or not at all; late: it missed a deadline.
 */
export type FailureKind = 'refused' | 'busy' | 'absent' | 'failed' | 'late'

/** Why one miner did not answer. The message has no address and is safe to show to users. */
export class MinerFailure extends Error {
  override readonly name = 'MinerFailure'
  /** For logs: like the message, but without what the miner wrote, which may repeat the prompt. */
  readonly reason: string
  constructor(
    readonly kind: FailureKind,
    message: string,
    /** HTTP status of its response; 0 when none arrived. */
    readonly status = 0,
    options?: ErrorOptions & { readonly reason?: string },
  ) {
    super(message, options)
    this.reason = options?.reason ?? message
  }
}

/** Statuses with which a server says that the request itself is wrong. */
const REFUSALS = [400, 413, 422]

export function kindOfStatus(status: number): FailureKind {
  if (REFUSALS.includes(status)) return 'refused'
  if (status === 404 || status === 405) return 'absent'
  return status === 429 || status === 503 ? 'busy' : 'failed'
}
