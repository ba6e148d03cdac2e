import { z } from 'zod'

const lastVerdict = z.object({
  kind: z.enum(['verified', 'failed', 'inconclusive']),
  cause: z.string().optional(),
  detail: z.string().optional(),
  model: z.string().optional(),
  tokensPerSecond: z.number().optional(),
})

const evidenceLevel = z.enum(['clean', 'suspected', 'barred'])
export type EvidenceLevel = z.output<typeof evidenceLevel>

/** The fields of a validator's `GET /status` that the board shows. */
export const validatorStatus = z.object({
  uid: z.number().int(),
  hotkey: z.string(),
  block: z.number().int(),
  rounds: z.number().int(),
  models: z.array(z.string()),
  epoch: z.object({ index: z.number().int(), nextBlock: z.number().int() }),
  weights: z
    .object({
      block: z.number().int(),
      entries: z.array(z.object({ uid: z.number(), weightU16: z.number() })),
    })
    .nullable(),
  miners: z.array(
    z.object({
      uid: z.number().int(),
      hotkey: z.string(),
      models: z.array(z.string()),
      verdicts: z.object({
        verified: z.number(),
        inconclusive: z.number(),
        failed: z.record(z.string(), z.number()),
      }),
      last: lastVerdict.nullable(),
      meanTokensPerSecond: z.number(),
      score: z.number(),
      /** One per model with evidence. */
      evidence: z.array(z.object({ level: evidenceLevel, sentence: z.string() })).default([]),
    }),
  ),
})

export type ValidatorStatus = z.output<typeof validatorStatus>
export type MinerStatus = ValidatorStatus['miners'][number]
