import { type Clock, dropOldest } from '../../../kernel/index.js'
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

/** Since the miner started. A registered hotkey that sent requests, or in whose name requests were refused. */
export interface CallerCounts {
  readonly hotkey: string
  readonly uid: number
  /** Requests with a valid signature of this hotkey. */
  readonly requests: number
  /** When the last of them came, ISO 8601 in UTC; null before the first. */
  readonly lastAt: string | null
  /** Refusals by code. Some precede the check of the signature, so another sender may have caused them. */
  readonly refusals: Readonly<Record<string, number>>
}

/** Counts requests for the status document, the final report and the metrics. */
export interface RequestCounter {
  admitted(hotkey: string, uid: number): void
  /** @param caller the registered hotkey that the request names, if any. */
  refused(code: string, caller?: { readonly hotkey: string; readonly uid: number }): void
  ended(route: string, end: RequestEnd): void
  counts(): RequestCounts
  callers(): CallerCounts[]
  /** All refusals of the miner itself, by code. */
  refusals(): Readonly<Record<string, number>>
  /** Admitted requests since the start. */
  readonly admittedRequests: number
}

/** Only registered hotkeys are counted, but over time they change. */
const MAX_CALLERS = 512

type LabelledCounter = ReturnType<MinerMetrics['requests']['labels']>

interface Caller {
  uid: number
  requests: number
  /** Wall-clock milliseconds. */
  lastAt: number | undefined
  readonly refusals: Map<string, number>
}

export function createRequestCounter(metrics: MinerMetrics, clock: Pick<Clock, 'now'>): RequestCounter {
  const counts = { requests: 0, answered: 0, refused: 0, failed: 0, abandoned: 0 }
  // Cached, since prom-client hashes the labels on every lookup.
  const counters = new Map<string, LabelledCounter>()
  const counterOf = (route: string, outcome: RequestEnd): LabelledCounter => {
    const key = `${route} ${outcome}`
    const counter = counters.get(key) ?? metrics.requests.labels({ route, outcome })
    counters.set(key, counter)
    return counter
  }
  let admittedRequests = 0
  const refusals = new Map<string, number>()
  const callers = new Map<string, Caller>()
  const callerOf = (hotkey: string, uid: number): Caller => {
    const caller = callers.get(hotkey) ?? { uid, requests: 0, lastAt: undefined, refusals: new Map() }
    caller.uid = uid
    callers.set(hotkey, caller)
    dropOldest(callers, MAX_CALLERS)
    return caller
  }
  return {
    ended: (route, end) => {
      counts.requests++
      counts[end]++
      counterOf(route, end).inc()
    },
    refused: (code, caller) => {
      metrics.rejections.inc({ reason: code })
      increment(refusals, code)
      if (caller) increment(callerOf(caller.hotkey, caller.uid).refusals, code)
    },
    get admittedRequests() {
      return admittedRequests
    },
    admitted: (hotkey, uid) => {
      admittedRequests++
      const caller = callerOf(hotkey, uid)
      caller.requests++
      caller.lastAt = clock.now()
    },
    counts: () => ({ ...counts }),
    callers: () => [...callers].map(([hotkey, caller]) => describeCaller(hotkey, caller)),
    refusals: () => Object.fromEntries(refusals),
  }
}

function describeCaller(hotkey: string, { uid, requests, lastAt, refusals }: Caller): CallerCounts {
  return {
    ...{ hotkey, uid, requests },
    lastAt: lastAt === undefined ? null : new Date(lastAt).toISOString(),
    refusals: Object.fromEntries(refusals),
  }
}

/** The codes are those of this program, so the map stays small. */
function increment(counts: Map<string, number>, code: string): void {
  counts.set(code, (counts.get(code) ?? 0) + 1)
}
