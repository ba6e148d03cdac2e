import type { EpochInput, EpochOutput } from './epoch-types.js'

/**
 * Null consensus (epoch/run_epoch.rs since spec 474). The neuron with the largest stake, of equal ones the first, holds the
 * only permit, and its weights alone are the incentives; without weights or stake, every neuron gets the same. Dividends
 * follow the stake, whoever is active. Consensus and trust are zero, and bonds stay as they are.
 */
export function runNull(input: EpochInput): EpochOutput {
  const zeros = input.stake.map(() => 0)
  const largest = Math.max(...input.stake)
  const winner = largest > 0 ? input.stake.indexOf(largest) : -1
  const row = normalize(winnerRow(input, winner))
  const isEmpty = row.every((weight) => weight === 0)
  const incentive = isEmpty ? zeros.map(() => 1 / zeros.length) : row
  const dividends = normalize(input.stake)
  const hasStake = dividends.some((share) => share > 0)
  return {
    active: input.lastUpdate.map((block) => block + input.activityCutoff >= input.block),
    permits: input.stake.map((_, uid) => uid === winner),
    consensus: zeros,
    incentive,
    dividends,
    validatorTrust: zeros,
    emission: incentive.map((share, uid) => (hasStake ? (share + (dividends[uid] ?? 0)) / 2 : share)),
    dividendShare: dividends.map((share) => share / 2),
  }
}

/** The weights of the winner, except to neurons that registered after it set them. */
function winnerRow(
  { stake, weights, lastUpdate, registeredAt }: EpochInput,
  winner: number,
): readonly number[] {
  const row = stake.map(() => 0)
  for (const [other, weight] of weights[winner] ?? []) {
    if ((lastUpdate[winner] ?? 0) > (registeredAt[other] ?? 0)) row[other] = weight
  }
  return row
}

function normalize(values: readonly number[]): readonly number[] {
  const total = values.reduce((sum, value) => sum + value, 0)
  return total > 0 ? values.map((value) => value / total) : values
}
