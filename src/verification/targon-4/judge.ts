import { inconclusive, type Verdict } from '../verdict.js'
import { TARGON_4 } from './constants.js'
import type { CheckResult, Targon4Token } from './logprobs.js'
import type { MembershipResult } from './random.js'

export interface Targon4Request {
  /** The model the engine serves. */
  readonly servedModel: string
  readonly model: string
  readonly temperature: number
  /** 0 or undefined: no limit. */
  readonly maxTokens: number | undefined
  readonly tokens: readonly { readonly id: number | undefined; readonly logprob: number | undefined }[]
}

/** The two checks that need the engine, in this order; each runs only when the ones before it passed. */
export interface Targon4Checks {
  logprobs(tokens: readonly Targon4Token[]): Promise<CheckResult> | CheckResult
  random(tokens: readonly Targon4Token[]): Promise<MembershipResult> | MembershipResult
}

/**
 * 4.4.1 verifier/verifier.py verify: length, model, logprobs, then the random check at temperatures up to 0.75.
 * What raises an exception there (HTTP 500, or 422 for a malformed token) is inconclusive here.
 */
export async function judgeTargon4(request: Targon4Request, checks: Targon4Checks): Promise<Verdict> {
  const tokens: Targon4Token[] = []
  for (const { id, logprob } of request.tokens) {
    if (id === undefined || logprob === undefined) return noVerdict('A token is missing its id or logprob.')
    tokens.push({ id, logprob })
  }
  if (tokens.length < TARGON_4.shortestAnswer) {
    return { kind: 'failed', cause: 'TOO_SHORT', detail: `${tokens.length} tokens.` }
  }
  if (request.maxTokens && tokens.length > request.maxTokens) {
    return {
      kind: 'failed',
      cause: 'TOO_LONG',
      detail: `${tokens.length} tokens where at most ${request.maxTokens} were requested.`,
    }
  }
  if (request.model !== request.servedModel) return noVerdict(`The engine serves ${request.servedModel}.`)
  const logprobs = await checks.logprobs(tokens)
  if (logprobs.kind === 'no-verdict') return noVerdict(logprobs.detail)
  if (logprobs.kind === 'failed') return logprobs
  if (request.temperature > TARGON_4.randomCheckMaxTemperature) return { kind: 'verified' }
  const random = await checks.random(tokens)
  if (random.verified) return { kind: 'verified' }
  return {
    kind: 'failed',
    cause: 'LOGPROB_RANDOM',
    detail: `Token ${random.failedIndex} is not among the engine's likeliest tokens.`,
  }
}

function noVerdict(detail: string): Verdict {
  return inconclusive('no-verdict', detail)
}
