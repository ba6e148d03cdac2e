import type { ScoringRules } from '../../../scoring/index.js'
import { countedModels } from '../evidence/index.js'
import type { MinerVerdicts } from '../scores/index.js'
import type { SubnetView } from '../subnet/index.js'
import { describePair } from './evidence-status.js'
import type { StatusParts, ValidatorStatus } from './status.js'

/** What the status says of every miner that can be queried. */
export function describeMiners(
  view: SubnetView,
  { book, verdicts, evidence }: Pick<StatusParts, 'book' | 'verdicts' | 'evidence'>,
  rules: ScoringRules,
): ValidatorStatus['miners'] {
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

function describeLast({ last }: MinerVerdicts): ValidatorStatus['miners'][number]['last'] {
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
