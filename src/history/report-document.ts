import { z } from 'zod'

const spread = z.object({ p5: z.number(), p50: z.number(), p95: z.number() })

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
})

export const minerReport = z.object({
  uid: z.number(),
  hotkey: z.string(),
  /** First and last result in the period. */
  from: z.string(),
  to: z.string(),
  models: z.array(modelReport),
})

export type ModelReport = z.output<typeof modelReport>
export type MinerReport = z.output<typeof minerReport>

export type Spread = z.output<typeof spread>
