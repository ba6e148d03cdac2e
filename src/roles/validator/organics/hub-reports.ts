import { randomBytes } from 'node:crypto'
import type { InferenceRequest } from '../../../inference/index.js'
import { type Log, SPEC_VERSION } from '../../../kernel/index.js'
import type { Result } from '../../../scoring/index.js'
import type { RoundResult } from '../rounds/index.js'
import type { HubClient } from './hub-client.js'

/** Bounds on the queue, beyond which the oldest reports are dropped. Reports contain text of miners, so bytes count as well. */
const MAX_QUEUED = 32
const MAX_QUEUED_BYTES = 64 << 20

/** `scores` of a report: results by uid and model. */
export type HubScores = Readonly<Record<string, Readonly<Record<string, readonly Result[]>>>>

export interface HubReports {
  /** Queues the report of a finished round; does not wait for the hub. */
  report(results: readonly RoundResult[], models: readonly string[], scores: HubScores): void
  readonly dropped: () => number
  /** Resolves when every queued report has been sent or dropped. */
  idle(): Promise<void>
}

/** Sends the statistics of each round to the hub in the background; while the hub is unreachable only reports are lost. */
export function createHubReports(hub: HubClient, hotkey: string, log: Log, signal: AbortSignal): HubReports {
  const queue: Buffer[] = []
  let queuedBytes = 0
  let dropped = 0
  let isFailing = false
  let sending: Promise<void> | undefined
  const next = () => {
    const body = queue.shift()
    queuedBytes -= body?.length ?? 0
    return body
  }
  const send = async () => {
    for (let body = next(); body !== undefined && !signal.aborted; body = next()) {
      try {
        const { status } = await hub.post('/', body, signal)
        if (status !== 200) throw new Error(`status ${status}`)
        isFailing = false
      } catch (error) {
        dropped++
        if (!isFailing && !signal.aborted)
          log.warn({ event: 'hub-report-failed', err: error }, 'could not deliver a report to the hub')
        isFailing = true
      }
    }
    sending = undefined
  }
  return {
    report: (results, models, scores) => {
      const first = results[0]
      if (!first) return
      const { request, block } = first
      const body = Buffer.from(
        JSON.stringify(describeRound({ results, models, scores, hotkey, request, block })),
      )
      queue.push(body)
      queuedBytes += body.length
      while (queue.length > MAX_QUEUED || queuedBytes > MAX_QUEUED_BYTES) {
        next()
        dropped++
      }
      sending ??= send()
    },
    dropped: () => dropped,
    idle: async () => sending,
  }
}

export interface RoundReport {
  readonly results: readonly Pick<RoundResult, 'miner' | 'answer' | 'verdict'>[]
  readonly models: readonly string[]
  readonly scores: HubScores
  readonly hotkey: string
  /** The protocol has one request per round: that of the first miner, with its own persona and seed. */
  readonly request: InferenceRequest
  readonly block: number
  readonly id?: string
}

/** The body of POST / (4.4.1 targon/jugo.py send_stats_to_jugo). Times are in seconds; inconclusive results are omitted. */
export function describeRound({ results, models, scores, hotkey, request, block, id }: RoundReport): object {
  const nanoid = id ?? randomBytes(36).toString('base64url')
  const prompt = request.endpoint === 'chat' ? { messages: request.messages } : { prompt: request.prompt }
  return {
    request: {
      r_nanoid: nanoid,
      block,
      request: {
        seed: request.seed,
        max_tokens: request.maxTokens,
        temperature: request.temperature,
        model: request.model,
        stream: true,
        logprobs: true,
        ...prompt,
      },
      request_endpoint: request.endpoint === 'chat' ? 'Endpoints.CHAT' : 'Endpoints.COMPLETION',
      version: SPEC_VERSION,
      hotkey,
    },
    responses: results
      .filter(({ verdict }) => verdict.kind !== 'inconclusive')
      .map(({ miner, answer, verdict }) => ({
        r_nanoid: nanoid,
        hotkey: miner.hotkey,
        coldkey: miner.coldkey,
        uid: miner.uid,
        stats: describeStats(answer, verdict),
      })),
    models,
    scores,
  }
}

/** A token id that is missing becomes -1, a logprob that is missing or not finite -100, as in 4.4.1. */
function describeStats(
  { timing, tokensPerSecond, tokens }: RoundResult['answer'],
  verdict: RoundResult['verdict'],
) {
  const verified = verdict.kind === 'verified'
  return {
    time_to_first_token: timing.timeToFirstTokenMs / 1000,
    time_for_all_tokens: timing.timeForAllTokensMs / 1000,
    total_time: timing.totalMs / 1000,
    tps: tokensPerSecond,
    tokens: tokens.map(({ text, tokenId, logprob }) => ({
      text,
      token_id: tokenId ?? -1,
      logprob: logprob !== undefined && Number.isFinite(logprob) ? logprob : -100,
    })),
    verified,
    error: verified ? null : verdict.detail,
    cause: verdict.kind === 'failed' ? verdict.cause : null,
  }
}
