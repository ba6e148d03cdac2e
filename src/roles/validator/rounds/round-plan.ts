import type { ReferenceEngine } from '../../../engine/index.js'
import type { Endpoint } from '../../../inference/index.js'
import type { Random } from '../../../prompts/index.js'
import {
  type EngineState,
  engineStates,
  explainMissing,
  isReady,
  type ServingMiner,
  type SubnetView,
  type ValidatorContext,
} from '../subnet/index.js'

export interface RoundPlan {
  readonly kind: 'round'
  readonly model: string
  readonly endpoint: Endpoint
  readonly engine: ReferenceEngine
  /** Miners to query, at most the size of a round, in random order. */
  readonly miners: readonly ServingMiner[]
  /** Miners drawn while filling the round that answered for their models without listing this one: each gets a miss. */
  readonly notServing: readonly ServingMiner[]
  /** Miners drawn that cannot be queried, because their last answer for the model still streams. */
  readonly sittingOut: readonly SittingOut[]
}

/** A miner that a round passes over while its last answer for this model still streams. */
export interface SittingOut {
  readonly miner: ServingMiner
  readonly model: string
}

export type PlannedRound =
  | RoundPlan
  | {
      readonly kind: 'skip'
      readonly reason: string
      readonly sittingOut?: readonly SittingOut[]
    }

export interface PlanRules {
  readonly models: 'random' | 'in-turn'
  readonly size: number
  /** Number of the round, from 0. */
  readonly round: number
  /** Whether the miner's last answer for this model has no verdict yet. Other models may run on other GPUs. */
  readonly isBusy: (hotkey: string, model: string) => boolean
  /** Why a model has no engine. */
  readonly explainEngine: ValidatorContext['explainEngine']
}

/**
 * Chooses model, endpoint and miners. Only models with a ready engine are queried: an answer that cannot be verified
 * wastes the miners' GPUs (4.4.1 did that in two of three rounds). A model has its turn also when all its miners are
 * busy: they sit out, and another model is queried.
 */
export function planRound(
  view: SubnetView,
  engines: readonly ReferenceEngine[],
  rules: PlanRules,
  random: Random,
): PlannedRound {
  const ready = engines.filter((engine) => isReady(engine) && view.wanted.includes(engine.model))
  if (ready.length === 0) {
    const states = engineStates({ view, engines: () => engines, explainEngine: rules.explainEngine })
    return { kind: 'skip', reason: describeMissingEngine(view, states) }
  }
  const serves = ({ hotkey }: ServingMiner, model: string) => view.servedBy(hotkey)?.includes(model) === true
  const served = ready.filter(({ model }) => view.miners.some((miner) => serves(miner, model)))
  const usable = served.filter(({ model }) =>
    view.miners.some((miner) => serves(miner, model) && !rules.isBusy(miner.hotkey, model)),
  )
  const choose = (from: readonly ReferenceEngine[]) =>
    rules.models === 'in-turn' ? from[rules.round % from.length] : pickOne(from, random)
  const due = choose(served)
  const engine = due === undefined || usable.includes(due) ? due : choose(usable)
  const allBusy = (models: readonly ReferenceEngine[]) =>
    models.flatMap(({ model }) =>
      view.miners.filter((miner) => serves(miner, model)).map((miner) => ({ miner, model })),
    )
  if (!engine?.facts)
    return {
      kind: 'skip',
      reason: 'no available miner serves a wanted model',
      sittingOut: allBusy(served),
    }
  const { model } = engine
  const endpoint = pickOne(engine.facts.endpoints, random) ?? 'completion'
  const miners: ServingMiner[] = []
  const notServing: ServingMiner[] = []
  const sittingOut = due === engine || due === undefined ? [] : allBusy([due])
  for (const miner of shuffle(view.miners, random)) {
    if (miners.length >= rules.size) break
    if (!serves(miner, model)) {
      if (view.servedBy(miner.hotkey) !== undefined) notServing.push(miner)
    } else if (rules.isBusy(miner.hotkey, model)) sittingOut.push({ miner, model })
    else miners.push(miner)
  }
  return { kind: 'round', model, endpoint, engine, miners, notServing, sittingOut }
}

function describeMissingEngine({ wanted }: SubnetView, states: readonly EngineState[]): string {
  if (wanted.length === 0) return 'the list of wanted models is empty'
  return `no reference engine is ready for a wanted model (${explainMissing(states)})`
}

/** A copy in random order (Fisher–Yates). */
function shuffle<T>(items: readonly T[], random: Random): T[] {
  const shuffled = [...items]
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = random.integer(0, last)
    const [a, b] = [shuffled[last], shuffled[other]]
    if (a === undefined || b === undefined) continue
    shuffled[last] = b
    shuffled[other] = a
  }
  return shuffled
}

function pickOne<T>(items: readonly T[], random: Random): T | undefined {
  return items[random.integer(0, items.length - 1)]
}
