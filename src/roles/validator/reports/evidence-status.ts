import { z } from 'zod'
import type { PairStanding } from '../evidence/index.js'

/** What the evidence says of one miner and model, in the document of `GET /status`. */
export const pairStanding = z.object({
  model: z.string(),
  level: z.enum(['clean', 'suspected', 'barred']),
  /** Whether a bar scores the miner 0 for this model. */
  isEnforced: z.boolean(),
  /** log10(1 + wealth) at either level of noise. */
  suspicion: z.number(),
  enforced: z.number(),
  leading: z.string().optional(),
  dialect: z.string().optional(),
  answers: z.number(),
  tokens: z.number(),
  synchronised: z.number(),
  unsynchronised: z.number(),
  /** By statistic: wealth at either level, what the tokens look like, and how many tokens say so. */
  statistics: z.record(
    z.string(),
    z.object({
      suspicion: z.number(),
      enforced: z.number(),
      estimate: z.number().optional(),
      tokens: z.number(),
    }),
  ),
  /** While it is barred: since when, ISO 8601 in UTC, by which statistic, and how many clean answers followed. */
  bar: z
    .object({
      statistic: z.string(),
      wealth: z.number(),
      answers: z.number(),
      tokens: z.number(),
      since: z.string(),
      clean: z.number(),
    })
    .optional(),
  sentence: z.string(),
})

export function describePair({ model, isEnforced, standing }: PairStanding): z.output<typeof pairStanding> {
  const { level, suspicion, enforced, leading, dialect, answers, tokens, bar, sentence } = standing
  const { synchronised, unsynchronised } = standing
  const statistics = Object.entries(standing.statistics).map(([name, one]) => {
    const estimate = one.estimate?.value
    const { suspicion, enforced, tokens } = one
    return [name, { suspicion, enforced, tokens, ...(estimate === undefined ? {} : { estimate }) }] as const
  })
  return {
    ...{ model, level, isEnforced, suspicion, enforced, answers, tokens, synchronised, unsynchronised },
    ...(leading === undefined ? {} : { leading }),
    ...(dialect === undefined ? {} : { dialect }),
    statistics: Object.fromEntries(statistics),
    ...(bar ? { bar: { ...bar, since: new Date(bar.since).toISOString() } } : {}),
    sentence,
  }
}
