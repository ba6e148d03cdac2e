import type { HubMetrics } from '../../telemetry/index.js'
import type { RequestEnd } from './gateway/index.js'

/** Requests since the start, by how they ended. */
export interface RequestCounts {
  readonly answered: number
  readonly refused: number
  readonly failed: number
  readonly left: number
}

export interface RequestCounter {
  readonly counts: () => RequestCounts
  readonly note: (end: RequestEnd) => void
}

export function createRequestCounter(metrics: HubMetrics): RequestCounter {
  const counts = { answered: 0, refused: 0, failed: 0, left: 0 }
  return {
    counts: () => ({ ...counts }),
    note: (end) => {
      counts[end.outcome]++
      noteMetrics(metrics, end)
    },
  }
}

function noteMetrics(metrics: HubMetrics, end: RequestEnd): void {
  const { route, outcome, model, code, firstTokenMs, totalMs, attempts, tokens, promptTokens } = end
  metrics.requests.inc({ route, outcome })
  if (code !== undefined) metrics.refusals.inc({ code })
  if (attempts > 0) metrics.attempts.observe(attempts)
  metrics.tokens.inc({ kind: 'prompt' }, promptTokens)
  metrics.tokens.inc({ kind: 'completion' }, tokens)
  if (model === undefined) return
  metrics.modelRequests.inc({ model, outcome })
  if (firstTokenMs === undefined) return
  metrics.timeToFirstToken.observe({ model }, firstTokenMs / 1000)
  const streamedMs = totalMs - firstTokenMs
  if (outcome === 'answered' && tokens > 1 && streamedMs > 0)
    metrics.tokensPerSecond.observe({ model }, ((tokens - 1) / streamedMs) * 1000)
}
