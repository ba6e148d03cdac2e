import { TargonError } from '../../kernel/index.js'
import type { ListedMiner } from './miner-models.js'

/**
 * The model to ask for: the wanted one, or the one most miners serve.
 *
 * @throws TargonError MODEL_NOT_SERVED (upstream) when nobody serves it.
 */
export function chooseModel(
  miners: readonly ListedMiner[],
  wanted: string | undefined,
): { readonly model: string; readonly serving: readonly ListedMiner[] } {
  const model = wanted ?? mostServed(miners)
  const serving = model === undefined ? [] : miners.filter(({ models }) => models.includes(model))
  if (model !== undefined && serving.length > 0) return { model, serving }
  const served = [...new Set(miners.flatMap(({ models }) => models))]
  const what = model === undefined ? 'any model' : `the model ${model}`
  throw new TargonError(`None of the ${miners.length} miners that could be asked serves ${what}.`, {
    code: 'MODEL_NOT_SERVED',
    fault: 'upstream',
    next:
      served.length > 0
        ? `Served now: ${served.slice(0, 8).join(', ')}.`
        : 'See why with: targon query --list (private addresses need --allow-private-axons).',
    facts: { model },
  })
}

function mostServed(miners: readonly ListedMiner[]): string | undefined {
  const counts = new Map<string, number>()
  for (const model of miners.flatMap(({ models }) => models)) counts.set(model, (counts.get(model) ?? 0) + 1)
  return [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b))[0]?.[0]
}
