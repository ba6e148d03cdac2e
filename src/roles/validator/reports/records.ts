import { join } from 'node:path'
import type { ValidatorSettings } from '../../../config/index.js'
import {
  type History,
  type MinerReport,
  openHistory,
  type ResultRow,
  reportMiners,
} from '../../../history/index.js'
import type { Clock, Log } from '../../../kernel/index.js'
import type { ConfirmedWeights } from '../epochs/index.js'
import type { RoundResult } from '../rounds/index.js'

/** What the validator writes down for reports, beside everything else. */
export interface Records {
  onResult(result: RoundResult): void
  /** A result of a window that is no answer: the miner did not list the model. */
  onMiss(miss: Miss): void
  onWeights(set: ConfirmedWeights): void
  /** Answers `GET /report?miner=<uid|hotkey>&hours=<n>`. */
  report(query: Readonly<Record<string, string>>): Promise<RecordsReport>
  readonly trouble: () => string | undefined
  /** Resolves when opening them holds this thread no longer; never rejects. */
  readonly opened: Promise<void>
  close(): Promise<void>
}

export interface Miss extends Pick<RoundResult, 'round' | 'block' | 'miner'> {
  readonly model: string
  readonly endpoint: RoundResult['request']['endpoint']
}

export interface RecordsReport {
  readonly since: string
  readonly miners: readonly MinerReport[]
}

const DAY_MS = 86_400_000
/** Text of a miner may be in a detail; a page of it is enough. */
const DETAIL_LENGTH = 500
const NOT_SERVING = 'NOT_SERVING'

/** Folder of the embedded history within a neuron's state folder. */
export function historyFolder(stateDir: string): string {
  return join(stateDir, 'history')
}

export interface RecordsOptions {
  readonly clock: Clock
  readonly log: Log
  readonly stateDir: string
  readonly validator: string
}

export function openRecords(
  settings: ValidatorSettings,
  options: RecordsOptions,
  signal: AbortSignal,
): Records {
  const { clock, log, stateDir, validator } = options
  if (!settings.history) return closedRecords(clock)
  const url = settings['database.url']
  const history = openHistory({
    place: url === undefined ? { folder: historyFolder(stateDir) } : { url },
    clock,
    log,
    retentionMs: settings['history.retention'] * DAY_MS,
    signal,
  })
  return {
    onResult: (result) => history.record(rowOf(result, validator)),
    onMiss: (miss) => history.record(missOf(miss, new Date(clock.now()), validator)),
    onWeights: ({ block, path, entries }) =>
      history.recordWeights({ at: new Date(clock.now()), validator, block, path, entries }),
    report: (query) => readReport(history, clock, validator, query),
    trouble: () => history.trouble(),
    opened: history.opened,
    close: () => history.close(),
  }
}

function closedRecords(clock: Clock): Records {
  return {
    onResult: () => {},
    onMiss: () => {},
    onWeights: () => {},
    report: async () => ({ since: new Date(clock.now()).toISOString(), miners: [] }),
    trouble: () => undefined,
    opened: Promise.resolve(),
    close: async () => {},
  }
}

async function readReport(
  history: History,
  clock: Clock,
  validator: string,
  query: Readonly<Record<string, string>>,
) {
  const hours = /^\d{1,5}$/.test(query.hours ?? '') ? Number(query.hours) : 24
  const since = new Date(clock.now() - hours * 3_600_000)
  const miners = await history.read((database) =>
    reportMiners(database, { miner: query.miner, since, validator }),
  )
  return { since: since.toISOString(), miners }
}

function rowOf(
  { at, round, block, miner, request, answer, verdict, stallMs }: RoundResult,
  validator: string,
): ResultRow {
  const { timing } = answer
  return {
    at: new Date(at),
    validator,
    round,
    block,
    uid: miner.uid,
    hotkey: miner.hotkey,
    model: request.model,
    endpoint: request.endpoint,
    kind: verdict.kind,
    cause: verdict.kind === 'verified' ? null : verdict.kind === 'failed' ? verdict.cause : verdict.reason,
    // Postgres takes no NUL in text.
    detail:
      verdict.kind === 'verified' ? null : verdict.detail.replaceAll('\u0000', '').slice(0, DETAIL_LENGTH),
    tokens: answer.tokens.length,
    maxTokens: request.maxTokens,
    temperature: request.temperature,
    seed: request.seed ?? null,
    tokensPerSecond: answer.tokensPerSecond,
    timeToFirstTokenMs: timing.timeToFirstTokenMs,
    totalMs: timing.totalMs,
    burstShare: answer.burstShare,
    stallMs,
  }
}

function missOf({ round, block, miner, model, endpoint }: Miss, at: Date, validator: string): ResultRow {
  return {
    ...{ at, validator, round, block, uid: miner.uid, hotkey: miner.hotkey, model, endpoint },
    ...{
      kind: 'missed',
      cause: NOT_SERVING,
      detail: 'it did not list this model when it was asked for its models',
    },
    ...{ tokens: 0, maxTokens: 0, temperature: 0, seed: null },
    ...{ tokensPerSecond: 0, timeToFirstTokenMs: 0, totalMs: 0, burstShare: 0, stallMs: 0 },
  }
}
