/** What an epoch computes from. */
export interface EpochInput {
  readonly block: number
  readonly tempo: number
  /** Stake per uid, zero below the stake threshold. */
  readonly stake: readonly number[]
  readonly permits: readonly boolean[]
  readonly lastUpdate: readonly number[]
  readonly registeredAt: readonly number[]
  readonly lastStepBlock: number
  readonly activityCutoff: number
  readonly maxValidators: number
  /** 0..1 */
  readonly kappa: number
  /** 0..1, the share of the old bonds that is kept. */
  readonly bondsMovingAverage: number
  /** Stored `[uid, weight]` pairs per uid. */
  readonly weights: readonly (readonly (readonly [number, number])[])[]
  readonly bonds: readonly (readonly (readonly [number, number])[])[]
}

/** What an epoch stores. */
export interface EpochOutput {
  readonly active: readonly boolean[]
  readonly permits: readonly boolean[]
  readonly consensus: readonly number[]
  readonly incentive: readonly number[]
  readonly dividends: readonly number[]
  readonly validatorTrust: readonly number[]
  /** Share of the emission per uid; the sum is 1 or 0. */
  readonly emission: readonly number[]
  /** Share of the emission per uid that is paid as dividends. */
  readonly dividendShare: readonly number[]
  /** Bonds per uid, scaled so that the largest of each column is 1; absent when they stay as they are. */
  readonly bonds?: readonly (readonly number[])[]
}
