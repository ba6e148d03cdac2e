/**
 * Natural log of an upper bound on P(X ≥ count), where X is a sum of independent yes/no events with this expectation.
 * Chernoff bound: valid whatever the probabilities of the single events are. 0 unless the count exceeds the expectation.
 */
export function logProbabilityAtLeast(count: number, expected: number): number {
  if (count <= expected) return 0
  if (expected <= 0) return Number.NEGATIVE_INFINITY
  return count - expected - count * Math.log(count / expected)
}

/** The same for P(X ≤ count). 0 unless the count is below the expectation. */
export function logProbabilityAtMost(count: number, expected: number): number {
  if (count >= expected) return 0
  return count === 0 ? -expected : count - expected - count * Math.log(count / expected)
}

/**
 * Natural log of an upper bound on the probability that a sum exceeds its mean by `excess` (Bernstein), given its variance
 * and the most by which one term can exceed its own mean.
 */
export function logProbabilityOfExcess(excess: number, variance: number, largestTerm: number): number {
  if (excess <= 0) return 0
  return -(excess * excess) / (2 * (variance + (largestTerm * excess) / 3))
}
