import type { RoundOutcome } from './documents.js'

/** The miners of one kind of verdict with what there is to say: `3 (OVERFIT), 7 (NO_LOGPROBS)`. */
export function namesOf(outcomes: readonly RoundOutcome[], kind: string): string {
  return outcomes
    .filter((one) => one.kind === kind)
    .map(({ uid, cause }) => (cause === null ? String(uid) : `${uid} (${cause})`))
    .join(', ')
}
