/** Bounds on one streamed answer. A miner's bytes are hostile until they are parsed. */
export interface StreamLimits {
  /** From the call until the request is written, i.e. for connecting. */
  readonly connectMs: number
  /** From the written request to the first token. */
  readonly firstTokenMs: number
  /** Between two tokens. */
  readonly gapMs: number
  /** From the written request to the end of the answer. */
  readonly totalMs: number
  /** Upper bound of a line: 500 tokens that a lagging server merged. Requests for fewer tokens are bounded further. */
  readonly lineBytes: number
  readonly streamBytes: number
  /** Time to parse the whole stream, beside a little for each event that was asked for: an honest one takes a few milliseconds. */
  readonly parsingMs: number
  /** Events and tokens allowed beyond `max_tokens`: role, usage and [DONE] chunks. A few tokens too many fail with another cause (TOO_LONG). */
  readonly extraEvents: number
}

export const DEFAULT_LIMITS: StreamLimits = {
  connectMs: 5000,
  firstTokenMs: 12_000,
  gapMs: 5000,
  totalMs: 300_000,
  lineBytes: 64 * 1024,
  streamBytes: 4 * 1024 * 1024,
  parsingMs: 100,
  extraEvents: 64,
}
