import type { HubMetrics } from '../../../telemetry/index.js'
import type { RequestEnd } from '../gateway/index.js'
import { createLabelLimit } from './label-limit.js'
import { furtherAsked, speedOf } from './model-traffic.js'

/**
 * Most values of a label. A miner can serve any names, and an operator can create any number of keys; each value costs about
 * sixty series.
 */
const MAX_MODELS = 100
const MAX_KEYS = 200

/** @returns what to call when a request has ended. */
export function createRequestMetrics(metrics: HubMetrics): (end: RequestEnd) => void {
  const modelLabel = createLabelLimit(MAX_MODELS)
  const keyLabel = createLabelLimit(MAX_KEYS)
  return (end) => {
    const { route, outcome, code, tokens, promptTokens } = end
    metrics.requests.inc({ route, outcome })
    if (code !== undefined) metrics.refusals.inc({ code })
    metrics.tokens.inc({ kind: 'prompt' }, promptTokens)
    metrics.tokens.inc({ kind: 'completion' }, tokens)
    if (end.key !== undefined) {
      const key = keyLabel(end.key)
      metrics.keyRequests.inc({ key, outcome })
      metrics.keyTokens.inc({ key }, promptTokens + tokens)
    }
    if (end.model !== undefined) noteModel(metrics, end, modelLabel(end.model))
  }
}

function noteModel(metrics: HubMetrics, end: RequestEnd, model: string): void {
  const { outcome, attempts, firstTokenMs, totalMs, tokens, promptTokens } = end
  const { failovers, hedges } = furtherAsked(end)
  metrics.modelRequests.inc({ model, outcome })
  metrics.modelTokens.inc({ model, kind: 'prompt' }, promptTokens)
  metrics.modelTokens.inc({ model, kind: 'completion' }, tokens)
  if (attempts > 0) metrics.attempts.observe({ model }, attempts)
  metrics.furtherMiners.inc({ model, reason: 'failed' }, failovers)
  metrics.furtherMiners.inc({ model, reason: 'slow' }, hedges)
  if (firstTokenMs !== undefined) metrics.timeToFirstToken.observe({ model }, firstTokenMs / 1000)
  const speed = speedOf(end)
  if (speed !== undefined) metrics.tokensPerSecond.observe({ model }, speed)
  const operation = OPERATIONS[end.route]
  if (operation === undefined) return
  metrics.genAi?.answered(
    { operation, model, error: outcome === 'answered' ? undefined : (end.code ?? outcome) },
    { totalMs, firstTokenMs, promptTokens, tokens },
  )
}

/** Names of the conventions for what a route does. */
const OPERATIONS: Readonly<Record<string, 'chat' | 'text_completion' | 'embeddings'>> = {
  '/v1/chat/completions': 'chat',
  '/v1/responses': 'chat',
  '/v1/messages': 'chat',
  '/v1/completions': 'text_completion',
  '/v1/embeddings': 'embeddings',
}
