import { type Candidate, type ChoiceLimits, qualityOf, sharesOf } from './choice.js'
import type { RoutedModel } from './types.js'

export interface RoutingSources<Miner> {
  readonly miners: readonly Miner[]
  /** Whether it may be asked now, after failures. */
  readonly allows: (miner: Miner) => boolean
  readonly candidateOf: (miner: Miner, model: string) => Candidate
  readonly limits: ChoiceLimits
}

/** Models that are reported: those of most miners first, because a miner may list any names. */
const MAX_MODELS = 32

/** By hotkey: how likely the next request for each of its models goes to a miner, and why. */
export function reportRouting<Miner extends { readonly hotkey: string; readonly models: readonly string[] }>({
  miners,
  allows,
  candidateOf,
  limits,
}: RoutingSources<Miner>): ReadonlyMap<string, readonly RoutedModel[]> {
  const report = new Map<string, RoutedModel[]>(miners.map(({ hotkey }) => [hotkey, []]))
  for (const [model, serving] of commonModels(miners)) {
    const candidates = serving.map((miner) => ({ miner, facts: candidateOf(miner, model) }))
    const able = candidates.filter(({ miner }) => allows(miner))
    const shares = sharesOf(
      able.map(({ facts }) => facts),
      limits,
    )
    const shareOf = new Map(able.map(({ miner }, index) => [miner, shares[index] ?? 0]))
    const best = Math.max(0, ...candidates.map(({ facts }) => facts.incentive))
    for (const { miner, facts } of candidates)
      report.get(miner.hotkey)?.push({
        ...{ model, share: shareOf.get(miner) ?? 0 },
        ...describe(facts, best),
      })
  }
  return report
}

function describe(candidate: Candidate, best: number): Omit<RoutedModel, 'model' | 'share'> {
  const { verified = null, incentive, tokensPerSecond = null, firstTokenMs = null } = candidate
  const isNew = verified === null && incentive === 0
  return { verified, quality: isNew ? null : qualityOf(candidate, best), tokensPerSecond, firstTokenMs }
}

/** Models with the miners that serve them. */
function commonModels<Miner extends { readonly models: readonly string[] }>(
  miners: readonly Miner[],
): readonly (readonly [model: string, serving: readonly Miner[]])[] {
  const serving = new Map<string, Miner[]>()
  for (const miner of miners)
    for (const model of miner.models) {
      const known = serving.get(model)
      if (known) known.push(miner)
      else serving.set(model, [miner])
    }
  return [...serving].sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1)).slice(0, MAX_MODELS)
}
