import { inconclusive, type Verdict } from '../verdict.js'
import { TARGON_4 } from './constants.js'
import type { CheckResult, Targon4Token } from './logprobs.js'
import type { MembershipResult } from './random.js'

export interface Targon4Request {
  /** The model the engine serves. */
  readonly servedModel: string
  /** Undefined: the served one. */
  readonly model: string | undefined
  /** Whether the request has what its type needs: a prompt, or messages. */
  readonly hasPrompt: boolean
  /** Undefined: 0. */
  readonly temperature: number | undefined
  /** 0: no limit. Undefined: refused as malformed. */
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
 * What raises an exception there (HTTP 500, or 422 for a malformed token or request) is inconclusive here.
 */
export async function judgeTargon4(request: Targon4Request, checks: Targon4Checks): Promise<Verdict> {
  const tokens: Targon4Token[] = []
  for (const { id, logprob } of request.tokens) {
    if (id === undefined || logprob === undefined) return noVerdict('A token is missing its id or logprob.')
    tokens.push({ id, logprob })
  }
  if (request.maxTokens === undefined) return noVerdict('The request has no max_tokens.')
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
  if (request.model !== undefined && request.model !== request.servedModel)
    return noVerdict(`The engine serves ${request.servedModel}.`)
  if (!request.hasPrompt) return noVerdict('The request has no prompt.')
  const logprobs = await checks.logprobs(tokens)
  if (logprobs.kind === 'no-verdict') return noVerdict(logprobs.detail)
  if (logprobs.kind === 'failed') return logprobs
  if ((request.temperature ?? 0) > TARGON_4.randomCheckMaxTemperature) return { kind: 'verified' }
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
