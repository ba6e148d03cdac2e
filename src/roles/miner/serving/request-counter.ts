import type { MinerMetrics } from '../../../telemetry/index.js'

/** Since the miner started. */
export interface RequestCounts {
  readonly requests: number
  readonly answered: number
  readonly refused: number
  readonly failed: number
  readonly abandoned: number
}

export type RequestEnd = 'answered' | 'refused' | 'failed' | 'abandoned'

export interface CallerCounts {
  readonly hotkey: string
  readonly uid: number
  readonly requests: number
}

/** Counts requests for the status document, the final report and the metrics. */
export interface RequestCounter {
  admitted(hotkey: string, uid: number): void
  refused(code: string): void
  ended(route: string, end: RequestEnd): void
  counts(): RequestCounts
  callers(): CallerCounts[]
}

/** Only registered hotkeys are counted, but over time they change. */
const MAX_CALLERS = 512

type LabelledCounter = ReturnType<MinerMetrics['requests']['labels']>

export function createRequestCounter(metrics: MinerMetrics): RequestCounter {
  const counts = { requests: 0, answered: 0, refused: 0, failed: 0, abandoned: 0 }
  // Cached, since prom-client hashes the labels on every lookup.
  const counters = new Map<string, LabelledCounter>()
  const counterOf = (route: string, outcome: RequestEnd): LabelledCounter => {
    const key = `${route} ${outcome}`
    const counter = counters.get(key) ?? metrics.requests.labels({ route, outcome })
    counters.set(key, counter)
    return counter
  }
  const callers = new Map<string, { uid: number; requests: number }>()
  return {
    ended: (route, end) => {
      counts.requests++
      counts[end]++
      counterOf(route, end).inc()
    },
    refused: (code) => {
      metrics.rejections.inc({ reason: code })
    },
    admitted: (hotkey, uid) => {
      const caller = callers.get(hotkey) ?? { uid, requests: 0 }
      caller.uid = uid
      caller.requests++
      callers.set(hotkey, caller)
      const [oldest] = callers.keys()
      if (callers.size > MAX_CALLERS && oldest !== undefined) callers.delete(oldest)
    },
    counts: () => ({ ...counts }),
    callers: () => [...callers].map(([hotkey, { uid, requests }]) => ({ hotkey, uid, requests })),
  }
}
