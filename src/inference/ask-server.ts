import type { Dispatcher } from 'undici'
import type { Clock } from '../kernel/index.js'
import { createAnswerReader } from './answer-reader.js'
import { DEFAULT_LIMITS, type StreamLimits } from './limits.js'
import { streamAnswer } from './miner-stream.js'
import { encodeRequest, pathOf } from './request.js'
import type { BurstRule } from './timing.js'
import type { Answer, InferenceRequest } from './types.js'

/** A model server of one's own, which asks for no signature. */
export interface OwnServer {
  /** Base URL without `/v1`. */
  readonly url: string
  readonly apiKey?: string | undefined
  /** It knows the field `return_tokens_as_token_ids`; vLLM 0.6.x refuses it and needs the server option of this name. */
  readonly knowsTokenIds: boolean
}

export interface AskServerOptions {
  readonly clock: Clock
  readonly dispatcher: Dispatcher
  readonly signal: AbortSignal
  readonly limits?: Partial<StreamLimits> | undefined
  /** Rule for answers generated first and streamed later. Default: report only. */
  readonly burst?: BurstRule | null | undefined
}

/** Asks one's own model server as a miner is asked, and reads its answer in the same way. Its faults are in the answer. */
export function askServer(
  request: InferenceRequest,
  { url, apiKey, knowsTokenIds }: OwnServer,
  { clock, dispatcher, signal, limits, burst }: AskServerOptions,
): Promise<Answer> {
  const { endpoint, maxTokens } = request
  const bounds = { ...DEFAULT_LIMITS, ...limits }
  const { origin, pathname } = new URL(url)
  return streamAnswer({
    dispatcher,
    origin,
    path: `${pathname.replace(/\/+$/, '')}${pathOf(endpoint)}`,
    headers: {
      'content-type': 'application/json',
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    },
    body: encodeRequest(request, knowsTokenIds ? { return_tokens_as_token_ids: true } : {}),
    maxEvents: maxTokens,
    limits: bounds,
    clock,
    signal,
    reader: createAnswerReader({
      endpoint,
      maxTokens,
      tokenLimit: maxTokens + bounds.extraEvents,
      rules: 'strict',
      burst: burst ?? undefined,
    }),
    onText: undefined,
  })
}
