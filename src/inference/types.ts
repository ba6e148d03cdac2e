/** Whose rules read and judge an answer: ours, or those of 4.4.1 including its mistakes (`--verification.rules`). */
export type RuleSet = 'strict' | 'targon-4'

/** Which of the two OpenAI routes: `/v1/chat/completions` or `/v1/completions`. */
export type Endpoint = 'chat' | 'completion'

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** A request to a miner. Its JSON body is encoded once, then signed and sent as the same bytes. */
export type InferenceRequest = {
  readonly model: string
  /** 1 … 2³¹−1 in synthetic requests. */
  readonly seed?: number
  readonly temperature: number
  readonly maxTokens: number
  /**
   * The answer may be drawn from truncated or changed distributions: the request leaves top_p, top_k, min_p or a penalty to the
   * server, or sets one. Absent: it states that none applies, as vLLM and SGLang then obey.
   */
  readonly mayBeCut?: true
  /** The server is asked for the usage, as gateways do; it comes in a last chunk without choices, which 4.4.1 cannot read. */
  readonly asksForUsage?: true
  /** Order of the members in the body, any whole number from 0 to 2³²−1; absent: that of 4.4.1. */
  readonly layout?: number
} & (
  | { readonly endpoint: 'chat'; readonly messages: readonly ChatMessage[] }
  | { readonly endpoint: 'completion'; readonly prompt: string }
)

/** One generated token as the miner reported it. Id and logprob are not validated. */
export interface OutputToken {
  readonly text: string
  /** From `token_id:<n>`; undefined when the miner sent none. */
  readonly tokenId: number | undefined
  /** Natural log of the probability; undefined when the miner sent none. May be any number, including NaN. */
  readonly logprob: number | undefined
  /** It came in the same chunk as the token before, whose text contains its own. */
  readonly sharesText?: true
}

/** Why a stream failed. `aborted` is our own fault (shutdown, no file descriptor left), everything else is the miner's. */
export interface StreamFault {
  readonly cause: 'BAD_STREAM' | 'STREAM_LIMIT' | 'TIMEOUT' | 'REDIRECT' | 'ENCODING' | 'aborted'
  readonly detail: string
  /**
   * What arrival times made of the stream; absent when its bytes alone are at fault. `deadline`: it was too slow. `burst`:
   * it is complete, but most of it arrived at once.
   */
  readonly timed?: 'deadline' | 'burst'
}

/** Durations in milliseconds on the monotonic clock, from the moment the request was written to the socket. */
export interface AnswerTiming {
  readonly timeToFirstTokenMs: number
  readonly timeForAllTokensMs: number
  readonly totalMs: number
}

/** A miner's answer to an inference request. */
export interface Answer {
  readonly tokens: readonly OutputToken[]
  /** The text as a reader of the stream sees it. */
  readonly text: string
  readonly finishReason: string | undefined
  readonly timing: AnswerTiming
  /** min(tokens, max_tokens) per second of the whole answer; 0 when the stream failed. */
  readonly tokensPerSecond: number
  /** HTTP status, 0 when none arrived. */
  readonly status: number
  readonly fault: StreamFault | undefined
  /** Chunks that carried text or tokens; fewer than tokens when a chunk carried several. */
  readonly chunks: number
  /** True when one chunk carried several tokens and not all of them had ids. */
  readonly lostTokens: boolean
  /** Largest share of the tokens that arrived within 100 ms: near 1 when the answer was generated first and streamed later. */
  readonly burstShare: number
  /**
   * By how much a stall of the event loop that read the answer may have falsified its times, in milliseconds; absent when
   * that was not measured.
   */
  readonly stallMs?: number
}
