import type { ReferenceEngine } from '../../../engine/index.js'
import type { Endpoint } from '../../../inference/index.js'
import type { Random } from '../../../prompts/index.js'
import type { Serving, SubnetView } from '../subnet/index.js'
import { pickOne, shuffle } from './choice.js'

export interface RoundPlan {
  readonly kind: 'round'
  readonly model: string
  readonly endpoint: Endpoint
  readonly engine: ReferenceEngine
  /** To be asked, at most the round's size, in random order. */
  readonly miners: readonly Serving[]
  /** Looked at before enough were found, answered for their models, and do not list this one: a miss. */
  readonly notServing: readonly Serving[]
}

export type PlannedRound = RoundPlan | { readonly kind: 'skip'; readonly reason: string }

export interface PlanRules {
  readonly models: 'random' | 'in-turn'
  readonly size: number
  /** Number of the round, from 0. */
  readonly round: number
  /** Hotkeys whose last answer is still being streamed. */
  readonly busy: ReadonlySet<string>
}

/**
 * Chooses model, endpoint and miners. Only models with a ready engine are asked for: an answer nobody can check would
 * only burn the miners' GPUs (4.4.1 did that in two of three rounds).
 */
export function planRound(
  view: SubnetView,
  engines: readonly ReferenceEngine[],
  rules: PlanRules,
  random: Random,
): PlannedRound {
  const ready = engines.filter((engine) => isReady(engine) && view.wanted.includes(engine.model))
  if (ready.length === 0) return { kind: 'skip', reason: whyNoEngine(view, engines) }
  const servers = (model: string) =>
    view.miners.filter(
      ({ hotkey }) => !rules.busy.has(hotkey) && view.servedBy(hotkey)?.includes(model) === true,
    )
  const askable = ready.filter(({ model }) => servers(model).length > 0)
  const engine = rules.models === 'in-turn' ? askable[rules.round % askable.length] : pickOne(askable, random)
  if (!engine?.facts) return { kind: 'skip', reason: 'no miner serves a wanted model now' }
  const endpoint = pickOne(engine.facts.endpoints, random) ?? 'completion'
  const order = shuffle(view.miners, random)
  const askableNow = new Set(servers(engine.model))
  const miners: Serving[] = []
  const notServing: Serving[] = []
  for (const miner of order) {
    if (miners.length >= rules.size) break
    if (askableNow.has(miner)) miners.push(miner)
    else if (view.servedBy(miner.hotkey)?.includes(engine.model) === false) notServing.push(miner)
  }
  return { kind: 'round', model: engine.model, endpoint, engine, miners, notServing }
}

/** Knows its model and takes calls now. */
export function isReady({ facts, unreadyReason }: ReferenceEngine): boolean {
  return facts !== undefined && unreadyReason === undefined
}

function whyNoEngine(view: SubnetView, engines: readonly ReferenceEngine[]): string {
  if (view.wanted.length === 0) return 'the list of wanted models is empty'
  if (engines.length === 0) return 'no reference engine is configured'
  const reasons = engines.map(({ model, unreadyReason }) => `${model}: ${unreadyReason ?? 'not wanted'}`)
  return `no reference engine is ready for a wanted model (${reasons.join('; ')})`
}
