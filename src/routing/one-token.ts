import type { Clock } from '../kernel/index.js'
import { requestSmall, type SmallAnswer } from './probe-http.js'
import type { Upstream } from './upstream.js'

const TIMEOUT_MS = 30_000

/** Asks an upstream for one token of a model by ourselves: what it does with that is no caller's doing. */
export function askOneToken(
  clock: Clock,
  upstream: Upstream,
  model: string,
  fields: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<SmallAnswer> {
  return requestSmall(clock, upstream.control, upstream.origin, {
    path: `${upstream.basePath}/completions`,
    headers: { ...upstream.headers, 'content-type': 'application/json' },
    body: JSON.stringify({ model, prompt: 'Hello', max_tokens: 1, temperature: 0, ...fields }),
    timeoutMs: TIMEOUT_MS,
    signal,
  })
}
