import { join, resolve } from 'node:path'
import {
  type History,
  type MinerReport,
  openHistory,
  type ResultRow,
  reportMiners,
} from '../../../history/index.js'
import type { Clock } from '../../../kernel/index.js'
import type { Result } from '../../../scoring/index.js'
import type { Feed } from '../../role.js'
import type { ConfirmedWeights } from '../epochs/index.js'
import type { EvidenceRow } from '../evidence/index.js'
import type { NotServing, RoundResult } from '../rounds/index.js'
import type { Settled } from '../scores/index.js'
import type { ValidatorContext } from '../subnet/index.js'
import { evidenceRecordOf } from './evidence-record.js'

/** The history of a validator, from which reports are made. */
export interface Records {
  /** Answers `GET /report?miner=<uid|hotkey>&hours=<n>`. */
  report(query: Readonly<Record<string, string>>): Promise<RecordsReport>
  close(): Promise<void>
}

export interface RecordsReport {
  readonly since: string
  readonly miners: readonly MinerReport[]
}

/** Events that are written to the history. */
export interface RecordedEvents {
  readonly result: Feed<RoundResult>
  readonly missed: Feed<NotServing>
  readonly settled: Feed<Settled>
  readonly weights: Feed<ConfirmedWeights>
  readonly evidence: Feed<EvidenceRow>
}

const DAY_MS = 86_400_000
/** A detail may quote text of a miner; this much of it is enough. */
const DETAIL_LENGTH = 500
const NOT_SERVING = 'NOT_SERVING'
/** Rounds that got their worth from the verdict on a later answer. */
const LATER = {
  'sat-out': { cause: 'STILL_STREAMING', detail: 'the miner’s last answer was still streaming' },
  unchecked: { cause: 'UNCHECKED', detail: 'not checked; the verdict on a later answer counts' },
} as const

/** File of the embedded history within a neuron's state folder. */
export function historyFile(stateDir: string): string {
  return join(stateDir, 'history.sqlite')
}

/** Path of a validator's lock: beside its state folder, so that two names of one hotkey exclude each other. */
export function validatorLockPath(stateDir: string): string {
  return join(resolve(stateDir, '..'), 'validator.lock')
}

/** Opens the history in the background and records results, misses, weights and evidence in it; `--no-history` gives an empty one. */
export function openRecords(context: ValidatorContext, events: RecordedEvents): Records {
  const { clock, log, signal, settings, stateDir, signer } = context
  const validator = signer.address
  if (!settings.history) return closedRecords(clock)
  const url = settings['database.url']
  const history = openHistory({
    place: url === undefined ? { file: historyFile(stateDir) } : { url },
    clock,
    log,
    retentionMs: settings['history.retention'] * DAY_MS,
    signal,
  })
  events.result.subscribe((result) => history.record(rowOf(result, validator)))
  events.missed.subscribe((miss) => history.record(missRowOf(miss, new Date(clock.now()), validator)))
  events.settled.subscribe((settled) => {
    for (const worth of settled.added) history.record(settledRowOf(settled, worth, validator))
  })
  events.weights.subscribe(({ block, path, entries }) =>
    history.recordWeights({ at: new Date(clock.now()), validator, block, path, entries }),
  )
  events.evidence.subscribe((row) => history.recordEvidence(evidenceRecordOf(row, validator)))
  return {
    report: (query) => readReport(history, clock, validator, query),
    close: () => history.close(),
  }
}

function closedRecords(clock: Clock): Records {
  return {
    report: async () => ({ since: new Date(clock.now()).toISOString(), miners: [] }),
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
    // Postgres rejects NUL in text.
    detail:
      verdict.kind === 'verified' ? null : verdict.detail.replaceAll('\u0000', '').slice(0, DETAIL_LENGTH),
    tokens: answer.tokens.length,
    maxTokens: request.maxTokens,
    temperature: request.temperature,
    seed: request.seed ?? null,
    // No speed is stored as 0, which reports leave out.
    tokensPerSecond: verdict.kind === 'verified' && verdict.hasNoSpeed ? 0 : answer.tokensPerSecond,
    timeToFirstTokenMs: timing.timeToFirstTokenMs,
    totalMs: timing.totalMs,
    burstShare: answer.burstShare,
    stallMs,
  }
}

/** A round without a verdict of its own: kind `sat-out` with the speed that counted for it, or a miss. */
function settledRowOf({ why, result }: Settled, worth: Result, validator: string): ResultRow {
  return {
    ...rowOf(result, validator),
    kind: worth === null ? 'missed' : 'sat-out',
    ...LATER[why],
    tokens: 0,
    tokensPerSecond: worth ?? 0,
  }
}

function missRowOf(
  { round, block, miner, model, endpoint }: NotServing,
  at: Date,
  validator: string,
): ResultRow {
  return {
    ...{ at, validator, round, block, uid: miner.uid, hotkey: miner.hotkey, model, endpoint },
    ...{
      kind: 'missed',
      cause: NOT_SERVING,
      detail: 'the miner did not list this model',
    },
    ...{ tokens: 0, maxTokens: 0, temperature: 0, seed: null },
    ...{ tokensPerSecond: 0, timeToFirstTokenMs: 0, totalMs: 0, burstShare: 0, stallMs: 0 },
  }
}
