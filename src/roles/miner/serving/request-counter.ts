import type { MinerMetrics } from '../../../telemetry/index.js'

/** What the miner did since it started. */
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

/** Counts requests for the status, the report and the metrics. */
export interface RequestCounter {
  end(route: string, end: RequestEnd): void
  reject(code: string): void
  caller(hotkey: string, uid: number): void
  counts(): RequestCounts
  callers(): CallerCounts[]
}

/** Only hotkeys of the subnet get this far, but they come and go. */
const MAX_CALLERS = 512

type LabelledCounter = ReturnType<MinerMetrics['requests']['labels']>

export function createRequestCounter(metrics: MinerMetrics): RequestCounter {
  const counts = { requests: 0, answered: 0, refused: 0, failed: 0, abandoned: 0 }
  // Looked up once each: prom-client hashes labels on every call otherwise.
  const ends = new Map<string, LabelledCounter>()
  const endsOf = (route: string, outcome: RequestEnd): LabelledCounter => {
    const key = `${route} ${outcome}`
    const known = ends.get(key) ?? metrics.requests.labels({ route, outcome })
    ends.set(key, known)
    return known
  }
  const callers = new Map<string, { uid: number; requests: number }>()
  return {
    end: (route, end) => {
      counts.requests++
      counts[end]++
      endsOf(route, end).inc()
    },
    reject: (code) => {
      metrics.rejections.inc({ reason: code })
    },
    caller: (hotkey, uid) => {
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
