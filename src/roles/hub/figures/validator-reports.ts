import { putNewest } from '../../../kernel/index.js'
import type { ReportedVerdict } from '../organics/index.js'

/** What one validator has reported since the hub started. */
export interface ValidatorReport {
  readonly hotkey: string
  /** Of its last verdict, ISO 8601 in UTC. */
  readonly at: string
  readonly verified: number
  readonly failed: number
}

export interface ValidatorReports {
  readonly note: (verdict: ReportedVerdict) => void
  /** The validator that reported last comes last. */
  readonly report: () => ValidatorReport[]
}

/** Only allowed hotkeys can report; those that did so least recently make room. */
const MAX_VALIDATORS = 256

export function createValidatorReports(clock: { readonly now: () => number }): ValidatorReports {
  const validators = new Map<string, { atMs: number; verified: number; failed: number }>()
  return {
    note: ({ validator, isVerified }) => {
      const known = validators.get(validator) ?? { atMs: 0, verified: 0, failed: 0 }
      known.atMs = clock.now()
      known[isVerified ? 'verified' : 'failed']++
      putNewest(validators, validator, known, MAX_VALIDATORS)
    },
    report: () =>
      [...validators].map(([hotkey, { atMs, verified, failed }]) => ({
        ...{ hotkey, at: new Date(atMs).toISOString(), verified, failed },
      })),
  }
}
