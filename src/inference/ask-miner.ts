import type { Dispatcher } from 'undici'
import { type EpistulaHeaders, signRequest } from '../epistula/index.js'
import type { Clock } from '../kernel/index.js'
import type { Signer } from '../wallet/index.js'
import { createAnswerReader } from './answer-reader.js'
import { DEFAULT_LIMITS, type StreamLimits } from './limits.js'
import { createMinerAgent } from './miner-agent.js'
import { streamAnswer } from './miner-stream.js'
import { encodeRequest, pathOf } from './request.js'
import { type BurstRule, STRICT_BURST_RULE } from './timing.js'
import type { Answer, InferenceRequest, RuleSet } from './types.js'
import { type ReaderWatch, watchReader } from './watched-reader.js'

/** Address and identity of a miner. */
export interface MinerTarget {
  /** `http://ip:port`, IPv6 in brackets. */
  readonly url: string
  /** ss58 address the request is signed for. */
  readonly hotkey: string
}

/** A signed request, ready to be sent. */
export interface PreparedRequest {
  readonly request: InferenceRequest
  readonly target: MinerTarget
  readonly body: Uint8Array
  readonly headers: EpistulaHeaders
}

export interface AskOptions extends ReaderWatch {
  readonly clock: Clock
  /** Connections to use. Default: a new agent, closed afterwards. */
  readonly dispatcher?: Dispatcher | undefined
  readonly limits?: Partial<StreamLimits> | undefined
  readonly signal?: AbortSignal | undefined
  /** Default strict. */
  readonly rules?: RuleSet | undefined
  /** Rule for answers generated first and streamed later; null: report only. Under `targon-4` any rule means that of 4.4.1. */
  readonly burst?: BurstRule | null | undefined
  /** Called with the text of each chunk as it arrives. */
  readonly onText?: ((text: string) => void) | undefined
}

/**
 * Encodes and signs a request. This is the costly part: a round does it for all miners before it sends the first request.
 * The signature is valid for 8 s.
 */
export function prepareRequest(
  request: InferenceRequest,
  target: MinerTarget,
  { signer, clock }: { readonly signer: Signer; readonly clock: Clock },
): PreparedRequest {
  const body = encodeRequest(request)
  const headers = signRequest({
    signer,
    signedFor: target.hotkey,
    body,
    nowMs: clock.now(),
    model: request.model,
  })
  return { request, target, body, headers }
}

/**
 * Sends a prepared request and reads the streamed answer within limits. Times count from the moment the request is
 * written to the socket. Whatever the miner does wrong is in the answer's `fault`.
 *
 * @throws only what `onText` throws
 */
export async function sendPrepared(prepared: PreparedRequest, options: AskOptions): Promise<Answer> {
  const { request, target } = prepared
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const plain = createAnswerReader({
    endpoint: request.endpoint,
    maxTokens: request.maxTokens,
    tokenLimit: request.maxTokens + limits.extraEvents,
    rules: options.rules ?? 'strict',
    burst: options.burst === null ? undefined : (options.burst ?? STRICT_BURST_RULE),
  })
  const reader = options.stalls || options.onProgress ? watchReader(plain, options) : plain
  const agent = options.dispatcher ?? createMinerAgent()
  try {
    return await streamAnswer({
      dispatcher: agent,
      origin: target.url,
      path: pathOf(request.endpoint),
      headers: prepared.headers,
      body: prepared.body,
      maxEvents: request.maxTokens,
      limits,
      clock: options.clock,
      signal: options.signal,
      reader,
      onText: options.onText,
    })
  } finally {
    if (options.dispatcher === undefined) await agent.destroy()
  }
}

/** Prepares and sends one request. */
export function askMiner(
  request: InferenceRequest,
  target: MinerTarget,
  options: AskOptions & { readonly signer: Signer },
): Promise<Answer> {
  return sendPrepared(prepareRequest(request, target, options), options)
}
