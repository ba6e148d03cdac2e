/** Why an answer failed, one cause per verdict: those of 4.4.1 verifier/verifier.py and those `strict` adds. */
export const CAUSES = [
  'BAD_STREAM',
  'TOO_SHORT',
  'TOO_LONG',
  'SKIPPED_EOS_EOT',
  'UNLIKELY_TOKEN',
  'UNLIKELY_TOKENS',
  'EARLY_END',
  'OVERFIT',
  'LOGPROB_RANDOM',
  'NO_LOGPROBS',
  'LOGPROB_MISMATCH',
  'TOKEN_TEXT_MISMATCH',
  'MULTI_TOKEN_CHUNK',
  'BAD_TOKEN',
  'STREAM_LIMIT',
  'TIMEOUT',
  'REDIRECT',
  'ENCODING',
  'EVIDENCE',
] as const

export type Cause = (typeof CAUSES)[number]

/** Faults of the validator itself. They never change a miner's score. */
export type ValidatorFault =
  | 'engine-unavailable'
  | 'engine-answer'
  | 'stalled-loop'
  | 'no-room'
  | 'aborted'
  | 'no-verdict'

export type Verdict =
  | {
      readonly kind: 'verified'
      /** The answer is too short to measure a speed: it changes no score. */
      readonly hasNoSpeed?: true
      /**
       * How many times likelier this early end is from a miner that chooses where to end than from an honest one; absent
       * unless above 1. See `weighEnding`.
       */
      readonly endOdds?: number
    }
  | {
      readonly kind: 'failed'
      readonly cause: Cause
      /** Why, with position and numbers. */
      readonly detail: string
    }
  | { readonly kind: 'inconclusive'; readonly reason: ValidatorFault; readonly detail: string }

export type { RuleSet } from '../inference/index.js'

export function inconclusive(reason: ValidatorFault, detail: string): Verdict {
  return { kind: 'inconclusive', reason, detail }
}
