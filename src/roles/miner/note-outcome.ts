import type { ForwardedRequest, Outcome } from '../../routing/index.js'
import type { MinerMetrics } from '../../telemetry/index.js'
import { isServed, type ModelEnds } from './alerting/index.js'

type Request = Pick<ForwardedRequest, 'path' | 'model'>

export interface OutcomeParts {
  readonly metrics: Pick<MinerMetrics, 'modelRequests' | 'genAi' | 'upstreamDuration' | 'timeToFirstByte'>
  readonly ends: Pick<ModelEnds, 'note'>
  /** The models that are served: callers choose the names in their requests, so others become no label. */
  readonly models: () => readonly string[]
}

/** Notes for alerts and metrics how the requests for each served model end. */
export function noteOutcomes({ metrics, ends, models }: OutcomeParts) {
  return ({ path, model }: Request, outcome: Outcome): void => {
    if (outcome.kind === 'answered') {
      metrics.upstreamDuration.observe(outcome.totalMs / 1000)
      metrics.timeToFirstByte.observe(outcome.firstByteMs / 1000)
    }
    const served = isServed(outcome)
    if (served === undefined || !models().includes(model)) return
    ends.note(model, served)
    metrics.modelRequests.inc({ model, outcome: served ? 'served' : 'failed' })
    const operation = path === '/chat/completions' ? 'chat' : 'text_completion'
    metrics.genAi?.served({ operation, model, error: errorOf(outcome) }, timesOf(outcome))
  }
}

function errorOf(outcome: Outcome): string | undefined {
  if (outcome.kind === 'broken') return 'broken'
  return 'status' in outcome && outcome.status >= 500 ? String(outcome.status) : undefined
}

function timesOf(outcome: Outcome): { readonly totalMs?: number; readonly firstByteMs?: number } {
  return outcome.kind === 'answered' ? { totalMs: outcome.totalMs, firstByteMs: outcome.firstByteMs } : {}
}
