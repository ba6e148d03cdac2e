import type { Snapshot, ValidatorRow } from './snapshot.js'

/** What `targon localnet --json` prints. */
export interface LocalnetReport {
  readonly epochs: number
  readonly miners: readonly {
    readonly uid: number
    readonly hotkey: string
    readonly behaviour: string
    readonly models: readonly string[]
    readonly verdicts: {
      readonly verified: number
      readonly inconclusive: number
      readonly failed: Readonly<Record<string, number>>
    }
    readonly meanTokensPerSecond: number
    readonly score: number
    readonly weightU16: number
  }[]
  /** Null when the run was stopped before the network had come up. */
  readonly validator: ValidatorRow | null
}

export function reportOf(snapshot: Snapshot): LocalnetReport {
  return {
    epochs: snapshot.epochs,
    miners: snapshot.miners.map(({ name: _name, last: _last, ...miner }) => miner),
    validator: snapshot.validator,
  }
}
