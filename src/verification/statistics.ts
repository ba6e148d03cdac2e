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

/**
 * Natural log of an upper bound on the probability that values between 0 and 1, each expected to be at most `expected` given
 * those before it, average to `average` or more (Chernoff). 0 unless the average exceeds the expectation.
 */
export function logProbabilityOfAverage(average: number, expected: number, count: number): number {
  if (average <= expected) return 0
  const rest = average < 1 ? (1 - average) * Math.log((1 - average) / (1 - expected)) : 0
  return -count * (average * Math.log(average / expected) + rest)
}
