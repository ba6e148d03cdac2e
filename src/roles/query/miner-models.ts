import { listModels as askModels, createMinerAgent } from '../../inference/index.js'
import { type Clock, TargonError } from '../../kernel/index.js'
import type { Signer } from '../../wallet/index.js'
import type { Miner } from './miners.js'

/** A miner with the models it serves, or with the reason why it did not list them. */
export interface ListedMiner extends Miner {
  readonly models: readonly string[]
  readonly fault?: string
}

/** Asks every miner concurrently which models it serves (signed GET /models), within the bounds of inference/. */
export async function listModels(
  miners: readonly Miner[],
  { signer, clock, signal }: { readonly signer: Signer; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ListedMiner[]> {
  const dispatcher = createMinerAgent()
  try {
    return await Promise.all(
      miners.map(async (miner) => {
        const answer = await askModels(miner, { signer, clock, signal, dispatcher })
        return answer.kind === 'models'
          ? { ...miner, models: answer.models }
          : { ...miner, models: [], fault: answer.reason }
      }),
    )
  } finally {
    await dispatcher.destroy()
  }
}

/**
 * The model to query, the requested one or the one most miners serve, and the miners that serve it.
 *
 * @throws TargonError MODEL_NOT_SERVED (upstream) when no miner serves it.
 */
export function chooseModel(
  miners: readonly ListedMiner[],
  requested: string | undefined,
): { readonly model: string; readonly serving: readonly ListedMiner[] } {
  const model = requested ?? mostServed(miners)
  const serving = model === undefined ? [] : miners.filter(({ models }) => models.includes(model))
  if (model !== undefined && serving.length > 0) return { model, serving }
  const served = [...new Set(miners.flatMap(({ models }) => models))]
  const what = model === undefined ? 'any model' : `the model ${model}`
  throw new TargonError(`None of the ${miners.length} reachable miners serves ${what}.`, {
    code: 'MODEL_NOT_SERVED',
    fault: 'upstream',
    next:
      served.length > 0
        ? `Choose one of the served models: ${served.slice(0, 8).join(', ')}.`
        : 'Run targon query --list to see why (private addresses need --allow-private-axons).',
    facts: { model },
  })
}

function mostServed(miners: readonly ListedMiner[]): string | undefined {
  const counts = new Map<string, number>()
  for (const model of miners.flatMap(({ models }) => models)) counts.set(model, (counts.get(model) ?? 0) + 1)
  return [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b))[0]?.[0]
}
