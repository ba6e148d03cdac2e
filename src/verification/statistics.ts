/**
 * Natural log of an upper bound on P(X ≥ count) for a sum of independent yes/no events with this expectation
 * (Chernoff, valid whatever the single chances are). 0 when the count is not above the expectation.
 */
export function logChanceOfAtLeast(count: number, expected: number): number {
  if (count <= expected) return 0
  if (expected <= 0) return Number.NEGATIVE_INFINITY
  return count - expected - count * Math.log(count / expected)
}

/** The same for P(X ≤ count). 0 when the count is not below the expectation. */
export function logChanceOfAtMost(count: number, expected: number): number {
  if (count >= expected) return 0
  return count === 0 ? -expected : count - expected - count * Math.log(count / expected)
}

/**
 * Natural log of an upper bound on the chance that a sum exceeds its mean by `excess`, given its variance and the
 * largest amount by which one term can exceed its own mean (Bernstein).
 */
export function logChanceOfExcess(excess: number, variance: number, largestTerm: number): number {
  if (excess <= 0) return 0
  return -(excess * excess) / (2 * (variance + (largestTerm * excess) / 3))
}
