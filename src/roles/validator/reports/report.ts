/** What a validator did, handed back when it has drained. */
export interface ValidatorReport {
  readonly uid: number
  readonly hotkey: string
  readonly rounds: number
  readonly verdicts: { readonly verified: number; readonly failed: number; readonly inconclusive: number }
  /** Epochs whose weights this process set and saw confirmed. */
  readonly weightsSet: number
}
