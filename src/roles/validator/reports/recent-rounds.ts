import { z } from 'zod'
import type { Clock } from '../../../kernel/index.js'
import type { Feed } from '../../role.js'
import type { RoundResult } from '../rounds/index.js'

const outcome = z.object({
  uid: z.number().int(),
  hotkey: z.string(),
  kind: z.enum(['verified', 'failed', 'inconclusive']),
  /** Why it failed or has no verdict; null when verified. */
  cause: z.string().nullable(),
  tokens: z.number().int(),
  tokensPerSecond: z.number(),
  timeToFirstTokenMs: z.number(),
})

const roundSummary = z.object({
  round: z.number().int(),
  /** Block at which it began. */
  block: z.number().int(),
  /** Time of its first verdict, ISO 8601 in UTC. */
  at: z.string(),
  model: z.string(),
  endpoint: z.string(),
  /** In the order of their verdicts. */
  outcomes: z.array(outcome),
})

/** The document of `GET /rounds`: the last rounds of this process, oldest first. */
export const recentRounds = z.object({ rounds: z.array(roundSummary) })

const minerResult = z.object({
  at: z.string(),
  round: z.number().int(),
  block: z.number().int(),
  model: z.string(),
  ...outcome.omit({ uid: true, hotkey: true }).shape,
  /** What the verdict says in words; null when verified. */
  detail: z.string().nullable(),
})

/** The document of `GET /results?miner=<uid|hotkey>`: the last results of one miner since the start, oldest first. */
export const recentResults = z.object({
  uid: z.number().int().nullable(),
  hotkey: z.string().nullable(),
  results: z.array(minerResult),
})

type RoundSummary = z.output<typeof roundSummary>
type MinerResult = z.output<typeof minerResult>

const MAX_ROUNDS = 40
const MAX_RESULTS = 120
/** A miner that is not queried any more makes room for others. */
const MAX_MINERS = 1024
/** A detail may quote text of a miner. */
const DETAIL_LENGTH = 300

export interface RecentRounds {
  rounds(): z.output<typeof recentRounds>
  results(query: Readonly<Record<string, string>>): z.output<typeof recentResults>
}

/** Keeps the last rounds, and the last results of every miner, in memory: also for a validator without a history. */
export function trackRounds(clock: Clock, events: { readonly result: Feed<RoundResult> }): RecentRounds {
  const rounds = new Map<number, RoundSummary>()
  // by uid, so that the results of a miner go when another takes its place
  const miners = new Map<number, { hotkey: string; results: MinerResult[] }>()
  events.result.subscribe((result) => {
    noteRound(rounds, result, new Date(clock.now()).toISOString())
    const { uid, hotkey } = result.miner
    const before = miners.get(uid)
    const earlier = before?.hotkey === hotkey ? before.results : []
    miners.delete(uid)
    miners.set(uid, { hotkey, results: [...earlier, resultOf(result)].slice(-MAX_RESULTS) })
    dropOldest(miners, MAX_MINERS)
  })
  return {
    rounds: () => ({ rounds: [...rounds.values()] }),
    results: ({ miner = '' }) => {
      const [found] = [...miners].filter(([uid, { hotkey }]) => hotkey === miner || String(uid) === miner)
      if (!found) return { uid: null, hotkey: null, results: [] }
      const [uid, { hotkey, results }] = found
      return { uid, hotkey, results }
    },
  }
}

function noteRound(rounds: Map<number, RoundSummary>, result: RoundResult, at: string): void {
  const { round, block, miner, request } = result
  const before = rounds.get(round) ?? {
    ...{ round, block, at, model: request.model, endpoint: request.endpoint, outcomes: [] },
  }
  const { uid, hotkey } = miner
  rounds.set(round, { ...before, outcomes: [...before.outcomes, { uid, hotkey, ...outcomeOf(result) }] })
  dropOldest(rounds, MAX_ROUNDS)
}

function outcomeOf({ verdict, answer }: RoundResult) {
  return {
    kind: verdict.kind,
    cause: verdict.kind === 'verified' ? null : verdict.kind === 'failed' ? verdict.cause : verdict.reason,
    tokens: answer.tokens.length,
    tokensPerSecond: verdict.kind === 'verified' && verdict.hasNoSpeed ? 0 : answer.tokensPerSecond,
    timeToFirstTokenMs: answer.timing.timeToFirstTokenMs,
  }
}

function resultOf(result: RoundResult): MinerResult {
  const { at, round, block, request, verdict } = result
  return {
    at: new Date(at).toISOString(),
    ...{ round, block, model: request.model },
    ...outcomeOf(result),
    detail: verdict.kind === 'verified' ? null : verdict.detail.slice(0, DETAIL_LENGTH),
  }
}

function dropOldest<K>(map: Map<K, unknown>, size: number): void {
  for (const key of map.keys()) {
    if (map.size <= size) return
    map.delete(key)
  }
}
