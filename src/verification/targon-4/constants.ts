/** Numbers of 4.4.1 verifier/verifier.py. Validators must agree on them, so they are never tuned here. */
export const TARGON_4 = {
  shortestAnswer: 3,
  unlikelyRank: 75,
  lowRank: 25,
  lowRankTokens: 5,
  endTokenRank: 10,
  notFirstShare: 0.5,
  goodScore: 0.9,
  passAverage: 0.75,
  rankOnlyTemperature: 0.9,
  randomCheckMaxTemperature: 0.75,
} as const

/** Entries 4.4.1 requests per position of the reference. */
export function referenceTopK(temperature: number): number {
  return Math.trunc(temperature * 10) + 6
}

/** Entries 4.4.1 requests when it continues a prefix (the random check). */
export function membershipTopK(temperature: number): number {
  return Math.trunc(temperature * 10) + 3
}
