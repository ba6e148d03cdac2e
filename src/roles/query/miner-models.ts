import { listModels as askModels, createMinerAgent } from '../../inference/index.js'
import { type Clock, RAISE_DESCRIPTOR_LIMIT, TargonError } from '../../kernel/index.js'
import type { Signer } from '../../wallet/index.js'
import { adviceFor, nameOf } from './advice.js'
import type { Miner } from './miners.js'

/** A miner with the models it serves, or with the reason why it did not list them. */
export interface ListedMiner extends Miner {
  readonly models: readonly string[]
  readonly fault?: string
  /** HTTP status of its refusal; absent when it sent none. */
  readonly status?: number
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
        if (answer.kind === 'models') return { ...miner, models: answer.models }
        if (answer.isOwnFault) throw unasked(answer.reason)
        const { reason, status } = answer
        return { ...miner, models: [], fault: reason, ...(status === undefined ? {} : { status }) }
      }),
    )
  } finally {
    await dispatcher.destroy()
  }
}

function unasked(reason: string): TargonError {
  return new TargonError(`This process cannot open more connections: ${reason}.`, {
    code: 'TOO_MANY_OPEN_FILES',
    fault: 'runtime',
    next: RAISE_DESCRIPTOR_LIMIT,
  })
}

/**
 * The model to query, the requested one or the one most miners serve, and the miners that serve it.
 *
 * @throws TargonError MINER_ANSWER (upstream) when no miner listed its models, MODEL_NOT_SERVED (upstream) when none of those
 * that did serves it.
 */
export function chooseModel(
  miners: readonly ListedMiner[],
  requested: string | undefined,
): { readonly model: string; readonly serving: readonly ListedMiner[] } {
  const model = requested ?? mostServed(miners)
  const serving = model === undefined ? [] : miners.filter(({ models }) => models.includes(model))
  if (model !== undefined && serving.length > 0) return { model, serving }
  const silent = silentOf(miners)
  if (miners.length > 0 && silent.length === miners.length) throw noneListed(silent)
  throw notServed(miners, silent, model)
}

/** What to tell about miners that did not list their models beside others that did; undefined when all did. */
export function describeSilent(miners: readonly ListedMiner[]): string | undefined {
  const silent = silentOf(miners)
  return silent.length === 0 ? undefined : `Some miners did not list their models: ${countReasons(silent)}.`
}

function silentOf(miners: readonly ListedMiner[]): readonly ListedMiner[] {
  return miners.filter(({ fault }) => fault !== undefined)
}

function noneListed(silent: readonly ListedMiner[]): TargonError {
  const [first] = silent
  const statuses = new Set(silent.map(({ status }) => status))
  const status = statuses.size === 1 ? (first?.status ?? 0) : 0
  return new TargonError(
    silent.length === 1 && first
      ? `The miner ${nameOf(first)} did not list its models: ${first.fault}.`
      : `None of the ${silent.length} miners listed its models: ${countReasons(silent)}.`,
    { code: 'MINER_ANSWER', fault: 'upstream', next: adviceFor(status), facts: { status } },
  )
}

function notServed(
  miners: readonly ListedMiner[],
  silent: readonly ListedMiner[],
  model: string | undefined,
): TargonError {
  const served = [...new Set(miners.flatMap(({ models }) => models))]
  const what = model === undefined ? 'any model' : `the model ${model}`
  const rest = silent.length === 0 ? '' : ` ${describeSilent(silent)}`
  return new TargonError(
    miners.length === 0
      ? 'No miner can be queried: none announces an allowed address.'
      : `None of the ${miners.length - silent.length} miners that listed their models serves ${what}.${rest}`,
    {
      code: 'MODEL_NOT_SERVED',
      fault: 'upstream',
      next:
        served.length > 0
          ? `Choose one of the served models: ${served.slice(0, 8).join(', ')}.`
          : 'Run targon query --list to see why (private addresses need --allow-private-axons).',
      facts: { model },
    },
  )
}

/** The three most frequent reasons with the number of miners: `answered 401: Stake below minimum (3 miners)`. */
function countReasons(silent: readonly ListedMiner[]): string {
  const counts = new Map<string, number>()
  for (const { fault = '' } of silent) counts.set(fault, (counts.get(fault) ?? 0) + 1)
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([reason, count]) => `${reason} (${countMiners(count)})`)
    .join('; ')
}

function countMiners(count: number): string {
  return count === 1 ? '1 miner' : `${count} miners`
}

function mostServed(miners: readonly ListedMiner[]): string | undefined {
  const counts = new Map<string, number>()
  for (const model of miners.flatMap(({ models }) => models)) counts.set(model, (counts.get(model) ?? 0) + 1)
  return [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b))[0]?.[0]
}
