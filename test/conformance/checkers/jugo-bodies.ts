import type { Answer, InferenceRequest } from '../../../src/inference/index.js'
import { describeRound, type HubScores } from '../../../src/roles/validator/organics/hub-reports.js'
import type { RoundResult } from '../../../src/roles/validator/rounds/round.js'
import type { Verdict } from '../../../src/verification/index.js'
import { neuronOf } from '../../support/fake-subtensor.js'
import { type Checker, sameJson } from '../checker.js'

interface Stats {
  readonly time_to_first_token: number
  readonly time_for_all_tokens: number
  readonly total_time: number
  readonly tps: number
  readonly tokens: readonly { text: string; token_id: number; logprob: number }[]
  readonly verified: boolean
  readonly error: string | null
  readonly cause: string | null
}

interface SendStats {
  readonly stats: readonly (readonly [number, Stats | null])[]
  readonly request: Readonly<Record<string, unknown>>
  readonly endpoint: 'CHAT' | 'COMPLETION'
  readonly models: readonly string[]
  readonly miner_tps: HubScores
  readonly block: number
  readonly axons: Readonly<Record<string, { readonly hotkey: string; readonly coldkey: string }>>
  readonly hotkey: string
  readonly nanoid: string
}

/** Bodies the validator posts to the hub. */
export const checker: Checker = {
  vectors: 'jugo_bodies',
  rules: {
    'no-null-stats':
      'The hub responds with 500 to null statistics, so a result without a verdict is omitted from the report.',
  },
  check: ({ fn, input, expected }) => {
    const actual = fn === 'send_organics' ? { organics: input.organics } : withGivenRequest(input)
    if (sameJson(actual, expected.json)) return { agrees: true }
    const filled = {
      ...expected.json,
      responses: expected.json.responses?.filter(({ stats }: { stats: unknown }) => stats !== null),
    }
    return sameJson(actual, filled)
      ? { agrees: false, explainedBy: 'no-null-stats' }
      : { agrees: false, detail: `got ${JSON.stringify(actual)}, expected ${JSON.stringify(expected.json)}` }
  },
}

/** The requests in the data are fragments, so the fields they lack are removed from our full ones. */
function withGivenRequest(input: SendStats) {
  const { request, axons, endpoint } = input
  const full = {
    model: String(request.model),
    maxTokens: Number(request.max_tokens),
    seed: Number(request.seed ?? 0),
    temperature: Number(request.temperature ?? 0),
    ...(endpoint === 'CHAT' ? { endpoint: 'chat', messages: [] } : { endpoint: 'completion', prompt: '' }),
  } as InferenceRequest
  const results = input.stats.map(([uid, stats]) => resultOf(uid, stats, axons[uid]))
  const body = describeRound({
    results,
    models: input.models,
    scores: input.miner_tps,
    hotkey: input.hotkey,
    request: full,
    block: input.block,
    id: input.nanoid,
  }) as { request: { request: Record<string, unknown> } }
  const kept = Object.entries(body.request.request).filter(([name]) => name in request)
  return { ...body, request: { ...body.request, request: Object.fromEntries(kept) } }
}

function resultOf(
  uid: number,
  stats: Stats | null,
  keys: { readonly hotkey: string; readonly coldkey: string } | undefined,
): Pick<RoundResult, 'miner' | 'answer' | 'verdict'> {
  const verdict = (
    stats === null
      ? { kind: 'inconclusive', reason: 'no-verdict', detail: '' }
      : stats.verified
        ? { kind: 'verified' }
        : { kind: 'failed', cause: stats.cause, detail: stats.error ?? '' }
  ) as Verdict
  const axon = { ip: '1.1.1.1', port: 1, ipType: 4, protocol: 4, version: 1, block: 1 } as const
  const answer: Answer = {
    tokens: (stats?.tokens ?? []).map(({ text, token_id, logprob }) => ({
      text,
      tokenId: token_id,
      logprob,
    })),
    timing: {
      timeToFirstTokenMs: (stats?.time_to_first_token ?? 0) * 1000,
      timeForAllTokensMs: (stats?.time_for_all_tokens ?? 0) * 1000,
      totalMs: (stats?.total_time ?? 0) * 1000,
    },
    tokensPerSecond: stats?.tps ?? 0,
    text: '',
    finishReason: undefined,
    status: 200,
    fault: undefined,
    chunks: 0,
    lostTokens: false,
    burstShare: 0,
  }
  return { miner: { ...neuronOf({ uid, hotkey: keys?.hotkey ?? '' }), ...keys, axon }, answer, verdict }
}
