import type { ReferenceEngine } from '../../../engine/index.js'
import type { Endpoint } from '../../../inference/index.js'
import type { Random } from '../../../prompts/index.js'
import type { ServingMiner, SubnetView } from '../subnet/index.js'

export interface RoundPlan {
  readonly kind: 'round'
  readonly model: string
  readonly endpoint: Endpoint
  readonly engine: ReferenceEngine
  /** Miners to query, at most the size of a round, in random order. */
  readonly miners: readonly ServingMiner[]
  /** Miners drawn while filling the round that answered for their models without listing this one: each gets a miss. */
  readonly notServing: readonly ServingMiner[]
}

export type PlannedRound = RoundPlan | { readonly kind: 'skip'; readonly reason: string }

export interface PlanRules {
  readonly models: 'random' | 'in-turn'
  readonly size: number
  /** Number of the round, from 0. */
  readonly round: number
  /** Hotkeys whose last answer is still streaming. */
  readonly busy: ReadonlySet<string>
}

/**
 * Chooses model, endpoint and miners. Only models with a ready engine are queried: an answer that cannot be verified
 * wastes the miners' GPUs (4.4.1 did that in two of three rounds).
 */
export function planRound(
  view: SubnetView,
  engines: readonly ReferenceEngine[],
  rules: PlanRules,
  random: Random,
): PlannedRound {
  const ready = engines.filter((engine) => isReady(engine) && view.wanted.includes(engine.model))
  if (ready.length === 0) return { kind: 'skip', reason: describeMissingEngine(view, engines) }
  const serversOf = (model: string) =>
    view.miners.filter(
      ({ hotkey }) => !rules.busy.has(hotkey) && view.servedBy(hotkey)?.includes(model) === true,
    )
  const usable = ready.filter(({ model }) => serversOf(model).length > 0)
  const engine = rules.models === 'in-turn' ? usable[rules.round % usable.length] : pickOne(usable, random)
  if (!engine?.facts) return { kind: 'skip', reason: 'no available miner serves a wanted model' }
  const endpoint = pickOne(engine.facts.endpoints, random) ?? 'completion'
  const order = shuffle(view.miners, random)
  const servers = new Set(serversOf(engine.model))
  const miners: ServingMiner[] = []
  const notServing: ServingMiner[] = []
  for (const miner of order) {
    if (miners.length >= rules.size) break
    if (servers.has(miner)) miners.push(miner)
    else if (view.servedBy(miner.hotkey)?.includes(engine.model) === false) notServing.push(miner)
  }
  return { kind: 'round', model: engine.model, endpoint, engine, miners, notServing }
}

/** Knows its model and accepts calls. */
export function isReady({ facts, unreadyReason }: ReferenceEngine): boolean {
  return facts !== undefined && unreadyReason === undefined
}

function describeMissingEngine(view: SubnetView, engines: readonly ReferenceEngine[]): string {
  if (view.wanted.length === 0) return 'the list of wanted models is empty'
  if (engines.length === 0) return 'no reference engine is configured'
  const reasons = engines.map(({ model, unreadyReason }) => `${model}: ${unreadyReason ?? 'not wanted'}`)
  return `no reference engine is ready for a wanted model (${reasons.join('; ')})`
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
