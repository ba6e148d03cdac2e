import type { EpochInput, EpochOutput } from './epoch-types.js'

type Matrix = readonly (readonly number[])[]

/** Yuma consensus without liquid alpha, in floats (pallets/subtensor/src/epoch/run_epoch.rs, dense form). */
export function runYuma(input: EpochInput): EpochOutput & { readonly bonds: Matrix } {
  const count = input.stake.length
  const uids = Array.from({ length: count }, (_, uid) => uid)
  const stake = normalize(input.stake)
  const active = input.lastUpdate.map((block) => block + input.activityCutoff >= input.block)
  const permits = permitsOf(stake, input.maxValidators)
  const activeStake = normalize(uids.map((uid) => (active[uid] && input.permits[uid] ? at(stake, uid) : 0)))

  const weights = uids.map((uid) => weightRow(input, uid))
  const consensus = uids.map((uid) => consensusOf(weights, activeStake, uid, input.kappa))
  const clipped = weights.map((row) => row.map((weight, uid) => Math.min(weight, at(consensus, uid))))
  const incentive = normalize(
    uids.map((uid) => sum(clipped.map((row, validator) => at(row, uid) * at(activeStake, validator)))),
  )

  const oldBonds = normalizeColumns(uids.map((uid) => bondRow(input, uid)))
  const newBonds = normalizeColumns(
    clipped.map((row, uid) => row.map((weight) => weight * at(activeStake, uid))),
  )
  const keep = input.bondsMovingAverage
  const bonds = normalizeColumns(
    newBonds.map((row, uid) =>
      row.map((bond, other) => (1 - keep) * bond + keep * cell(oldBonds, uid, other)),
    ),
  )
  const dividends = normalize(bonds.map((row) => sum(row.map((bond, uid) => bond * at(incentive, uid)))))

  const total = sum(incentive) + sum(dividends)
  const fallback = activeStake.some((share) => share > 0) ? activeStake : stake
  return {
    active,
    permits,
    consensus,
    incentive,
    dividends,
    validatorTrust: clipped.map(sum),
    emission: total > 0 ? uids.map((uid) => (at(incentive, uid) + at(dividends, uid)) / total) : fallback,
    dividendShare: uids.map((uid) => (total > 0 ? at(dividends, uid) / total : 0)),
    bonds: scaleColumns(bonds),
  }
}

/** Permits for the `maxValidators` largest stakes; a tie goes to the later uid. */
function permitsOf(stake: readonly number[], maxValidators: number): readonly boolean[] {
  const smallestFirst = stake.map((_, uid) => uid).sort((a, b) => at(stake, a) - at(stake, b))
  const excluded = new Set(smallestFirst.slice(0, Math.max(0, stake.length - maxValidators)))
  return stake.map((share, uid) => share > 0 && !excluded.has(uid))
}

/** The normalized weights of a validator, except to itself and to neurons that registered after it set them. */
function weightRow(input: EpochInput, uid: number): readonly number[] {
  const row = input.stake.map(() => 0)
  if (!input.permits[uid]) return row
  for (const [other, weight] of input.weights[uid] ?? []) {
    if (other !== uid && at(input.lastUpdate, uid) > at(input.registeredAt, other)) row[other] = weight
  }
  return normalize(row)
}

/** The bonds of a validator, except to neurons that registered after the last epoch. */
function bondRow(input: EpochInput, uid: number): readonly number[] {
  const lastStep =
    input.lastStepBlock === 0 ? Math.max(0, input.block - input.tempo) : input.lastStepBlock + 1
  const row = input.stake.map(() => 0)
  for (const [other, bond] of input.bonds[uid] ?? []) {
    if (lastStep > at(input.registeredAt, other)) row[other] = bond
  }
  return row
}

/** The largest weight that a share of kappa of the active stake supports. */
function consensusOf(weights: Matrix, activeStake: readonly number[], uid: number, kappa: number): number {
  const votes = activeStake
    .map((share, validator) => ({ share, weight: cell(weights, validator, uid) }))
    .filter(({ share }) => share > 0)
    .sort((a, b) => a.weight - b.weight)
  let support = 0
  for (const { share, weight } of votes) {
    support += share
    if (support > 1 - kappa) return weight
  }
  return 0
}

function normalizeColumns(matrix: Matrix): Matrix {
  const sums = matrix.map((_, column) => sum(matrix.map((row) => at(row, column))))
  return matrix.map((row) =>
    row.map((value, column) => (at(sums, column) > 0 ? value / at(sums, column) : value)),
  )
}

function scaleColumns(matrix: Matrix): Matrix {
  const largest = matrix.map((_, column) => matrix.reduce((max, row) => Math.max(max, at(row, column)), 0))
  return matrix.map((row) =>
    row.map((value, column) => (at(largest, column) > 0 ? value / at(largest, column) : 0)),
  )
}

function normalize(values: readonly number[]): readonly number[] {
  const total = sum(values)
  return total > 0 ? values.map((value) => value / total) : values
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? 0
}

function cell(matrix: Matrix, row: number, column: number): number {
  return matrix[row]?.[column] ?? 0
}
