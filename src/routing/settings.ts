/** One model server as configured. */
export interface UpstreamSettings {
  /** Base URL with its version path and without a trailing slash: `http://127.0.0.1:8000/v1`. */
  readonly url: string
  /** Sent as a Bearer token. */
  readonly apiKey: string | undefined
  /** Share of the load relative to other upstreams, above 0. */
  readonly weight: number
  readonly maxInFlight: number
  /** Models to serve from here; empty = whatever /v1/models lists. */
  readonly models: readonly string[]
  /** Requested name → name at the upstream; only requests for an alias have their body rewritten. */
  readonly aliases: Readonly<Record<string, string>>
  /** Add `return_tokens_as_token_ids` to requests where the server needs it; rewrites the body. */
  readonly addTokenIds: boolean
  /** Whether GET /health is part of a health check; `auto`, the default: of servers known to be vLLM. */
  readonly askHealth?: 'auto' | 'always' | 'never'
}

/** Deadlines and bounds of the streaming proxy. */
export interface RoutingLimits {
  readonly connectTimeoutMs: number
  /** From sending the request to the first byte of a streamed response. */
  readonly firstByteTimeoutMs: number
  /** Longest pause of an upstream within a response. */
  readonly gapTimeoutMs: number
  /** Longest response overall; also the limit for the first byte of a response that is not streamed. */
  readonly totalTimeoutMs: number
  /** How long a caller may stop reading while we have data for it. */
  readonly readerTimeoutMs: number
  /** How many requests may wait for a free place. */
  readonly queueLength: number
  /** How long each of them may wait. */
  readonly queueTimeoutMs: number
  /** How often /v1/models, /health and /metrics of an upstream are read. */
  readonly refreshMs: number
}

export const defaultLimits: RoutingLimits = {
  connectTimeoutMs: 5000,
  firstByteTimeoutMs: 60_000,
  gapTimeoutMs: 30_000,
  totalTimeoutMs: 300_000,
  readerTimeoutMs: 10_000,
  queueLength: 32,
  queueTimeoutMs: 2000,
  refreshMs: 10_000,
}
