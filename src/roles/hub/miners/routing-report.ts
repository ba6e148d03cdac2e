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
const MAX_MODELS = 64

/** By hotkey: how likely the next request for each of its models goes to a miner, and why. */
export function reportRouting<Miner extends { readonly hotkey: string; readonly models: readonly string[] }>({
  miners,
  allows,
  candidateOf,
  limits,
}: RoutingSources<Miner>): ReadonlyMap<string, readonly RoutedModel[]> {
  const report = new Map<string, RoutedModel[]>(miners.map(({ hotkey }) => [hotkey, []]))
  for (const model of commonModels(miners)) {
    const serving = miners.filter(({ models }) => models.includes(model))
    const able = serving.filter(allows)
    const shares = sharesOf(
      able.map((miner) => candidateOf(miner, model)),
      limits,
    )
    const shareOf = new Map(able.map((miner, index) => [miner, shares[index] ?? 0]))
    const best = Math.max(0, ...serving.map((miner) => candidateOf(miner, model).incentive))
    for (const miner of serving)
      report.get(miner.hotkey)?.push({
        ...{ model, share: shareOf.get(miner) ?? 0 },
        ...describe(candidateOf(miner, model), best),
      })
  }
  return report
}

function describe(candidate: Candidate, best: number): Omit<RoutedModel, 'model' | 'share'> {
  const { verified = null, incentive, tokensPerSecond = null, firstTokenMs = null } = candidate
  const isNew = verified === null && incentive === 0
  return { verified, quality: isNew ? null : qualityOf(candidate, best), tokensPerSecond, firstTokenMs }
}

function commonModels(miners: readonly { readonly models: readonly string[] }[]): readonly string[] {
  const serving = new Map<string, number>()
  for (const model of miners.flatMap(({ models }) => models))
    serving.set(model, (serving.get(model) ?? 0) + 1)
  return [...serving]
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, MAX_MODELS)
    .map(([model]) => model)
}
