import { z } from 'zod'

const spread = z.object({ p5: z.number(), p50: z.number(), p95: z.number() })

const range = z.object({ low: z.number(), high: z.number() })
const statisticEvidence = z.object({
  statistic: z.string(),
  /** Decimal logarithms of 1 + wealth, at the noise of the own engines and at the noise granted to other hardware. */
  suspicion: z.number(),
  enforced: z.number(),
  /** Tokens behind the estimate. */
  tokens: z.number(),
  /** With the interval that holds it in about 95 of 100 cases; in the unit of the statistic. */
  estimate: range.extend({ value: z.number() }).optional(),
  /** Where the estimates of honest servers lie. */
  honest: range.optional(),
})

/** What the answers of a miner to a model show together. Wealth and threshold are decimal logarithms. */
const evidenceReport = z.object({
  /** Newest: clean, suspected or barred. */
  level: z.string(),
  /** Whether a bar scores the miner 0 for the model. */
  enforces: z.boolean(),
  threshold: z.number(),
  dialect: z.string().nullable(),
  answers: z.number(),
  tokens: z.number(),
  sentence: z.string(),
  statistics: z.array(statisticEvidence),
  /** By hour and at every change of the level, oldest first. */
  points: z.array(
    z.object({
      ...{ at: z.string(), level: z.string() },
      ...{ suspicion: z.number(), enforced: z.number() },
    }),
  ),
})

/** Explains the score of a miner for one model. Times in milliseconds, speeds in tokens per second. */
export const modelReport = z.object({
  model: z.string(),
  /** The last 15 results that count, also from before the period, oldest first: tokens per second, or null for a failure. */
  window: z.array(z.number().nullable()),
  verdicts: z.object({
    verified: z.number(),
    inconclusive: z.number(),
    failed: z.record(z.string(), z.number()),
  }),
  /** How often the miner was not queried because it did not list the model. */
  notServing: z.number(),
  /** How many rounds it sat out because its last answer was still streaming. */
  satOut: z.number().default(0),
  /** How many of its answers were not checked, and got their worth from a later one. */
  unchecked: z.number().default(0),
  tokensPerSecond: spread.nullable(),
  timeToFirstTokenMs: spread.nullable(),
  lastFailures: z.array(
    z.object({
      at: z.string(),
      block: z.number(),
      cause: z.string(),
      detail: z.string(),
      tokens: z.number(),
    }),
  ),
  /** By hour, oldest first. */
  trend: z.array(
    z.object({ at: z.string(), verified: z.number(), failed: z.number(), meanTokensPerSecond: z.number() }),
  ),
  /** Absent without evidence in the period, and in reports of earlier releases. */
  evidence: evidenceReport.optional(),
})

export const minerReport = z.object({
  uid: z.number(),
  hotkey: z.string(),
  /** First and last result in the period. */
  from: z.string(),
  to: z.string(),
  models: z.array(modelReport),
})

export type StatisticEvidence = z.output<typeof statisticEvidence>
export type EvidenceReport = z.output<typeof evidenceReport>
export type ModelReport = z.output<typeof modelReport>
export type MinerReport = z.output<typeof minerReport>

export type Spread = z.output<typeof spread>
