import type { Accounts, Spend } from '../../../accounts/index.js'
import type { Clock, Log } from '../../../kernel/index.js'
import type { HubMetrics } from '../../../telemetry/index.js'
import type { RequestEnd } from '../gateway/index.js'
import type { ReportedVerdict } from '../organics/index.js'
import { createTraffic, type ModelTraffic } from './model-traffic.js'
import { type AskedCounts, createRequestCounter, type RequestCounts } from './request-counter.js'
import { createRequestMetrics } from './request-metrics.js'
import { type HubSeries, startSeries } from './series.js'
import { watchSpend } from './spend-watch.js'
import { createValidatorReports, type ValidatorReport } from './validator-reports.js'

export interface FiguresOptions {
  readonly metrics: HubMetrics
  readonly accounts: Pick<Accounts, 'spend'>
  readonly inFlight: () => number
  readonly clock: Clock
  readonly log: Log
  /** Ends the samples. */
  readonly signal: AbortSignal
}

/** What the hub counts, for its status, its page and its metrics. */
export interface Figures {
  readonly noteEnd: (end: RequestEnd) => void
  readonly noteVerdict: (verdict: ReportedVerdict) => void
  readonly counts: () => RequestCounts
  readonly asked: () => AskedCounts
  /** Errors that users were sent, by code. */
  readonly errors: () => Readonly<Record<string, number>>
  readonly traffic: () => readonly ModelTraffic[]
  readonly series: () => HubSeries
  readonly reports: () => readonly ValidatorReport[]
  /** Undefined before the database has answered. */
  readonly spend: () => Spend | undefined
}

export function openFigures(options: FiguresOptions): Figures {
  const { metrics, clock, inFlight, signal } = options
  const requests = createRequestCounter()
  const noteMetrics = createRequestMetrics(metrics)
  const traffic = createTraffic()
  const series = startSeries(clock, inFlight, signal)
  const reports = createValidatorReports(clock)
  return {
    noteEnd: (end) => {
      for (const note of [requests.note, noteMetrics, traffic.note, series.note]) note(end)
    },
    noteVerdict: (verdict) => {
      reports.note(verdict)
      metrics.verdicts.inc({ result: verdict.isVerified ? 'verified' : 'failed' })
    },
    ...{ counts: requests.counts, asked: requests.asked, errors: requests.errors },
    ...{ traffic: traffic.report, series: series.document, reports: reports.report },
    spend: watchSpend(options),
  }
}
