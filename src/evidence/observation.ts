import { z } from 'zod'

/** S and G follow single tokens, R the claimed log probabilities, T and E the distribution of the sampled tokens. */
export const STATISTICS = ['seeded', 'greedy', 'residual', 'temperature', 'surprise'] as const
export type Statistic = (typeof STATISTICS)[number]

/** Servers whose sampler noise is a function of seed, position and token id. */
export const DIALECTS = ['murmur3', 'philox-fp32', 'philox-64'] as const
export type Dialect = (typeof DIALECTS)[number]

/**
 * Whether the answer follows the sampler noise of its seed: `yes` in the dialect named, `no` in none of them, `unknown` when
 * too few tokens depend on the noise, `inapplicable` for greedy answers, cut distributions and requests without a seed.
 */
export const SYNCHRONIES = ['yes', 'no', 'unknown', 'inapplicable'] as const
export type Synchrony = (typeof SYNCHRONIES)[number]

/** How many bets each statistic places: its alternatives. A change of these numbers restarts stored detectors. */
export const BETS: Readonly<Record<Statistic, number>> = {
  seeded: 4,
  greedy: 4,
  residual: 3,
  temperature: 6,
  surprise: 3,
}

const finite = z.number().finite()
const logFactors = z.array(finite).max(8)
const statisticObservation = z.object({
  /** Tokens judged. */
  tokens: z.number().int().min(0),
  /** Per alternative: natural logarithm of the factor by which this answer multiplies the evidence. */
  suspicion: logFactors,
  enforced: logFactors,
  /** What the estimate is made of: sums over tokens, their meaning is the statistic's own. */
  sums: z.array(finite).max(16),
})

export const observationSchema = z.object({
  tokens: z.number().int().min(0),
  synchrony: z.enum(SYNCHRONIES),
  dialect: z.enum(DIALECTS).optional(),
  statistics: z.partialRecord(z.enum(STATISTICS), statisticObservation),
})

/** What one answer says, in plain JSON. All numbers are finite. */
export type Observation = z.infer<typeof observationSchema>
export type StatisticObservation = z.infer<typeof statisticObservation>
