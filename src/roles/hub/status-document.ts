import { z } from 'zod'

const miner = z.looseObject({
  uid: z.number(),
  hotkey: z.string(),
  coldkey: z.string(),
  url: z.string(),
  models: z.array(z.string()).readonly(),
  /** On chain, from 0 to 1. */
  incentive: z.number(),
  inFlight: z.number(),
  /** closed, open after failures, or half-open. */
  breaker: z.string(),
  answered: z.number(),
  failed: z.number(),
  /** Why it did not list its models; null when it did. */
  silent: z.string().nullable(),
})

/** GET /status of a hub. */
export const hubStatus = z.looseObject({
  role: z.literal('hub'),
  startedAt: z.string(),
  netuid: z.number(),
  hotkey: z.string(),
  /** Address of the API. */
  url: z.string(),
  block: z.number(),
  isDraining: z.boolean(),
  /** Why it cannot serve; null when it can. */
  unavailable: z.string().nullable(),
  inFlight: z.number(),
  models: z.array(z.string()).readonly(),
  requests: z.object({
    answered: z.number(),
    refused: z.number(),
    failed: z.number(),
    left: z.number(),
  }),
  /** What is kept for validators. */
  records: z.object({ rows: z.number(), bytes: z.number(), dropped: z.number() }),
  miners: z.array(miner).readonly(),
})

export type HubStatus = z.output<typeof hubStatus>
