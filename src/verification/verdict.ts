/** Why an answer failed, one per verdict (4.4.1 verifier/verifier.py plus the causes `strict` adds). */
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
] as const

export type Cause = (typeof CAUSES)[number]

/** Faults of the validator itself; they change nobody's score. */
export type ValidatorFault =
  | 'engine-unavailable'
  | 'engine-answer'
  | 'stalled-loop'
  | 'aborted'
  | 'no-verdict'

/** Values, not exceptions: under `strict` whatever a miner sends can only verify or fail. */
export type Verdict =
  | { readonly kind: 'verified' }
  | {
      readonly kind: 'failed'
      readonly cause: Cause
      /** With position and numbers, so that a miner can be told why. */
      readonly detail: string
    }
  | { readonly kind: 'inconclusive'; readonly reason: ValidatorFault; readonly detail: string }

export type RuleSet = 'strict' | 'targon-4'
