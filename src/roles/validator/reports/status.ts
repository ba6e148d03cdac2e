import { z } from 'zod'
import type { WeightEntry } from '../../../chain/index.js'
import type { ScoreBook, ScoringRules } from '../../../scoring/index.js'
import type { Standing, Standings } from '../scores/index.js'
import type { SubnetView } from '../subnet/index.js'

const verdictCounts = z.object({
  verified: z.number().int(),
  inconclusive: z.number().int(),
  failed: z.record(z.string(), z.number().int()),
})

/** The document of `GET /status` on the status port. */
export const validatorStatus = z.object({
  role: z.literal('validator'),
  uid: z.number().int(),
  hotkey: z.string(),
  /** Newest block seen. */
  block: z.number().int(),
  epoch: z.object({ index: z.number().int(), nextBlock: z.number().int() }),
  /** Wanted models. */
  models: z.array(z.string()),
  /** Rounds started since this process began. */
  rounds: z.number().int(),
  /** The last weights this process set and saw confirmed. */
  weights: z
    .object({
      block: z.number().int(),
      entries: z.array(z.object({ uid: z.number().int(), weightU16: z.number().int() })),
    })
    .nullable(),
  miners: z.array(
    z.object({
      uid: z.number().int(),
      hotkey: z.string(),
      models: z.array(z.string()),
      /** Since this process began. */
      verdicts: verdictCounts,
      last: z
        .object({
          kind: z.enum(['verified', 'failed', 'inconclusive']),
          cause: z.string().optional(),
          detail: z.string().optional(),
          model: z.string(),
          tokensPerSecond: z.number().optional(),
        })
        .nullable(),
      /** Over the verified answers in the windows that count now. */
      meanTokensPerSecond: z.number(),
      score: z.number(),
    }),
  ),
})

export type ValidatorStatus = z.output<typeof validatorStatus>

export interface StatusSources {
  readonly view: SubnetView
  readonly book: ScoreBook
  readonly standings: Standings
  readonly scoringRules: ScoringRules
  readonly block: () => number
  readonly rounds: () => number
  readonly epoch: () => { readonly index: number; readonly nextBlock: number }
  readonly weights: () => { readonly block: number; readonly entries: readonly WeightEntry[] } | undefined
}

export function describeStatus(sources: StatusSources): ValidatorStatus {
  const { view, book, standings, scoringRules } = sources
  const wanted = new Set(view.wanted)
  const weights = sources.weights()
  return {
    role: 'validator',
    uid: view.self.uid,
    hotkey: view.self.hotkey,
    block: sources.block(),
    epoch: { ...sources.epoch() },
    models: [...view.wanted],
    rounds: sources.rounds(),
    weights: weights ? { block: weights.block, entries: [...weights.entries] } : null,
    miners: view.miners.map(({ uid, hotkey }) => {
      const models = [...(view.servedBy(hotkey) ?? [])]
      // As the weights see it: who has not answered for its models yet has its old ones.
      const scored = view.servedBy(hotkey) ?? book.models(hotkey)
      const standing = standings.of(hotkey)
      return {
        uid,
        hotkey,
        models,
        verdicts: countsOf(standing),
        last: describeLast(standing),
        meanTokensPerSecond: meanSpeed(scored.flatMap((model) => book.results(hotkey, model))),
        score: book.score(hotkey, scored, wanted, scoringRules),
      }
    }),
  }
}

function countsOf({ verified, inconclusive, failed }: Standing): z.output<typeof verdictCounts> {
  return { verified, inconclusive, failed: Object.fromEntries(failed) }
}

function describeLast({ last }: Standing): ValidatorStatus['miners'][number]['last'] {
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
