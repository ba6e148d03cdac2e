import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'

const path = new URL('results.json', import.meta.url)
const noise = z.object({ logitScale: z.number(), residual: z.number(), unexplained: z.number() })
const found = z.object({
  /** Runs in which it happened before the limit of tokens. */
  runs: z.number(),
  /** Tokens; null where fewer runs found it than the percentile needs. */
  median: z.number().nullable(),
  p90: z.number().nullable(),
  answers: z.number().nullable(),
})
const months = z.object({
  count: z.number(),
  /** By decimal logarithm of the wealth, in steps of a half from 0: months in which it was reached. */
  suspicion: z.array(z.number()),
  enforced: z.array(z.number()),
})

/** What the experiment measured, as it is kept in results.json. */
export const evidenceResults = z.object({
  rules: z.object({
    falseAlarm: z.number(),
    answersPerMonth: z.number(),
    /** Decimal logarithm. */
    threshold: z.number(),
    calibrated: z.number(),
    levels: z.object({ suspicion: noise, enforced: noise }),
  }),
  loose: z.object({ falseAlarm: z.number(), answersPerMonth: z.number(), threshold: z.number() }),
  honest: z.array(
    z.object({
      ...{ name: z.string(), answers: z.number(), tokens: z.number(), miners: z.number() },
      ...{ alarms: z.number(), suspicions: z.number() },
      /** Largest wealth of a miner, decimal logarithms. */
      most: z.object({ suspicion: z.number(), enforced: z.number() }),
      months,
    }),
  ),
  power: z.array(
    z.object({
      ...{ name: z.string(), runs: z.number(), limit: z.number(), goal: z.number().optional() },
      ...{ suspicion: found, alarm: found },
      /** Statistics that alarmed, by the number of runs. */
      causes: z.record(z.string(), z.number()),
    }),
  ),
  curves: z.array(
    z.object({
      name: z.string(),
      /** Tokens, then decimal logarithms of the wealth at the level of suspicion and the enforced one. */
      points: z.array(z.tuple([z.number(), z.number(), z.number()])),
    }),
  ),
})

export type EvidenceResults = z.infer<typeof evidenceResults>
export type HonestResult = EvidenceResults['honest'][number]
export type PowerResult = EvidenceResults['power'][number]

export function readResults(): EvidenceResults {
  return evidenceResults.parse(JSON.parse(readFileSync(path, 'utf8')))
}

/** Replaces some parts and keeps the others. */
export function saveResults(parts: Partial<EvidenceResults>): void {
  let before: Partial<EvidenceResults> = {}
  try {
    before = readResults()
  } catch {
    // The first results.
  }
  const { rules, loose, honest = [], power = [], curves = [] } = { ...before, ...parts }
  writeFileSync(path, `${JSON.stringify({ rules, loose, honest, power, curves }, null, 1)}\n`)
}
