import type { Answer } from '../../../inference/index.js'
import type { Result } from '../../../scoring/index.js'
import type { Verdict } from '../../../verification/index.js'
import { answerOf, type OrganicRecord, organicSpeed, verifiedSpeed } from './organic-record.js'

/** Scores of a failed request and of an answer without a usable token (4.4.1 targon/jugo.py). */
export const FAILED_REQUEST = -500
export const NO_TOKENS = -100

/** One entry of POST /organics/scores; times in milliseconds. */
export interface OrganicStat {
  readonly time_to_first_token: number
  readonly time_for_all_tokens: number
  readonly total_time: number
  readonly tps: number
  readonly tokens: readonly never[]
  readonly verified: boolean
  readonly error: string | null
  readonly cause: string | null
  readonly model: string
  readonly max_tokens: number
  readonly seed: number
  readonly temperature: number
  readonly uid: number
  readonly hotkey: string
  readonly coldkey: string
  readonly endpoint: OrganicRecord['endpoint']
  readonly total_tokens: number
}

export interface ScoredOrganic {
  readonly record: OrganicRecord
  /** Counts towards the miner's organic mean; undefined when the record could not be judged. */
  readonly result: Result | undefined
  readonly stat: OrganicStat | undefined
}

/**
 * Most tokens per second that an answer may count with (T-V15); undefined when nothing but the hub's word speaks for its
 * miner. Without a bound the hub's count and times are trusted as in 4.4.1.
 */
export type SpeedBound = (record: OrganicRecord) => number | undefined

/** Resolves to undefined when no engine serves the model. */
export type OrganicJudge = (record: OrganicRecord, answer: Answer) => Promise<Verdict | undefined>

/**
 * Scores one record as 4.4.1 does, except that a failed verification is a miss and a record that cannot be judged changes
 * no score. With a bound, the verified tokens are counted instead of those the hub reports, and no speed beyond the bound.
 */
export async function scoreOrganic(
  record: OrganicRecord,
  judge: OrganicJudge,
  bound?: SpeedBound,
): Promise<ScoredOrganic> {
  if (!record.success) return { record, result: FAILED_REQUEST, stat: undefined }
  const answer = answerOf(record)
  if (answer.tokens.length === 0) return { record, result: NO_TOKENS, stat: undefined }
  // There are tokens, but the hub counted none: the speed is unknown, and 4.4.1 reported none.
  if (record.response_tokens === 0) return { record, result: undefined, stat: undefined }
  const verdict = await judge(record, answer)
  if (verdict === undefined || verdict.kind === 'inconclusive')
    return { record, result: undefined, stat: undefined }
  const verified = verdict.kind === 'verified'
  const speed = bound ? verifiedSpeed(record, answer.tokens.length) : organicSpeed(record)
  const tokensPerSecond = verified ? speed : 0
  return {
    record,
    // An answer too short to measure a speed changes no score.
    result:
      verdict.kind !== 'verified' ? null : verdict.hasNoSpeed ? undefined : limitSpeed(speed, record, bound),
    stat: {
      time_to_first_token: record.time_to_first_token,
      time_for_all_tokens: record.total_time - record.time_to_first_token,
      total_time: record.total_time,
      tps: tokensPerSecond,
      tokens: [],
      verified,
      error: verified ? null : verdict.detail,
      cause: verified ? null : verdict.cause,
      model: record.model,
      max_tokens: record.request.max_tokens,
      seed: record.request.seed,
      temperature: record.request.temperature,
      uid: record.uid,
      hotkey: record.hotkey,
      coldkey: record.coldkey,
      endpoint: record.endpoint,
      total_tokens: record.response_tokens,
    },
  }
}

function limitSpeed(speed: number, record: OrganicRecord, bound?: SpeedBound): number | undefined {
  if (!bound) return speed
  const most = bound(record)
  return most === undefined ? undefined : Math.min(speed, most)
}
