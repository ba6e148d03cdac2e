import { z } from 'zod'
import type { ScoreBook, ScoringRules } from '../../../scoring/index.js'
import { countedModels, type Evidence } from '../evidence/index.js'
import type { MinerVerdicts, VerdictCounts } from '../scores/index.js'
import type { SubnetView } from '../subnet/index.js'
import { describePair, pairStanding } from './evidence-status.js'

/** A miner in the status of a validator. */
export const scoredMiner = z.object({
  uid: z.number().int(),
  hotkey: z.string(),
  models: z.array(z.string()),
  /** Since this process started. */
  verdicts: z.object({
    verified: z.number().int(),
    inconclusive: z.number().int(),
    failed: z.record(z.string(), z.number().int()),
  }),
  last: z
    .object({
      kind: z.enum(['verified', 'failed', 'inconclusive']),
      cause: z.string().optional(),
      detail: z.string().optional(),
      model: z.string(),
      tokensPerSecond: z.number().optional(),
    })
    .nullable(),
  /** Over the verified answers in the windows of the models that count. */
  meanTokensPerSecond: z.number(),
  score: z.number(),
  /** What its answers show together, by model. */
  evidence: z.array(pairStanding).optional(),
})

type ScoredMiner = z.output<typeof scoredMiner>

export interface ScoredParts {
  readonly book: ScoreBook
  readonly verdicts: VerdictCounts
  readonly evidence?: Pick<Evidence, 'isBarred' | 'standings'> | undefined
}

/** What the status says of every miner that can be queried. */
export function describeMiners(
  view: SubnetView,
  { book, verdicts, evidence }: ScoredParts,
  rules: ScoringRules,
): ScoredMiner[] {
  const wanted = new Set(view.wanted)
  return view.miners.map(({ uid, hotkey }) => {
    const scored = countedModels(view, book, hotkey, evidence?.isBarred)
    const counts = verdicts.of(hotkey)
    return {
      uid,
      hotkey,
      models: [...(view.servedBy(hotkey) ?? [])],
      verdicts: {
        verified: counts.verified,
        inconclusive: counts.inconclusive,
        failed: Object.fromEntries(counts.failed),
      },
      last: describeLast(counts),
      meanTokensPerSecond: meanSpeed(scored.flatMap((model) => book.results(hotkey, model))),
      score: book.score(hotkey, scored, wanted, rules),
      evidence: (evidence?.standings(hotkey) ?? []).map(describePair),
    }
  })
}

function describeLast({ last }: MinerVerdicts): ScoredMiner['last'] {
  if (!last) return null
  const { verdict, model, tokensPerSecond } = last
  if (verdict.kind === 'verified') return { kind: verdict.kind, model, tokensPerSecond }
  const cause = verdict.kind === 'failed' ? verdict.cause : verdict.reason
  return { kind: verdict.kind, cause, detail: verdict.detail, model }
}

function meanSpeed(results: readonly (number | null)[]): number {
  const hits = results.filter((result) => result !== null)
  return hits.length === 0 ? 0 : hits.reduce((sum, hit) => sum + hit, 0) / hits.length
}
