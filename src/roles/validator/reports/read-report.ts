import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { isOlderSchema } from '../../../database/index.js'
import {
  type HistoryPlace,
  type MinerReport,
  openDatabase,
  readNewestValidator,
  reportMiners,
} from '../../../history/index.js'
import { type Clock, messageOf, TargonError, withDeadline } from '../../../kernel/index.js'
import { askStatusPort } from '../../local-status.js'
import { reportDocument } from './api.js'
import { historyFile } from './records.js'
import { type ValidatorStatus, validatorStatus } from './status.js'

const TIMEOUT_MS = 30_000
const DEFAULT_HOURS = 24
const STATUS_TIMEOUT_MS = 3000

export interface ReportRequest {
  readonly clock: Clock
  /** A uid or a hotkey; all miners when absent. */
  readonly miner?: string | undefined
  /** Period up to now; default 24. */
  readonly hours?: number | undefined
  readonly stateDir: string
  /** Status port of a validator that may be running on this machine; 0 when unknown. */
  readonly statusPort: number
  readonly databaseUrl?: string | undefined
  readonly signal: AbortSignal
}

export interface MinersReport {
  /** Where the results come from. */
  readonly source: 'postgres' | 'validator' | 'embedded'
  readonly since: string
  readonly miners: readonly MinerReport[]
  /** Status of the validator running on this machine; null when none answers. */
  readonly now: ValidatorStatus | null
}

/**
 * Reads why miners have their scores, beside a running validator or without one. A validator whose history this user or this
 * machine cannot read, as that of a container, is asked for it.
 *
 * @throws TargonError HISTORY_UNAVAILABLE (runtime)
 */
export async function readMinersReport(query: ReportRequest): Promise<MinersReport> {
  const { clock, databaseUrl, signal } = query
  return withDeadline(clock, 'the report', TIMEOUT_MS, signal, async (inner) => {
    if (databaseUrl !== undefined) {
      const now = await readStatus(query, inner)
      return { ...(await readDatabase(query, { url: databaseUrl }, now, inner)), source: 'postgres' }
    }
    const file = historyFile(query.stateDir)
    if (await isReadable(file)) {
      const now = await readStatus(query, inner)
      return { ...(await readDatabase(query, { file }, now, inner)), source: 'embedded' }
    }
    const answered = await readFromValidator(query, inner)
    if (answered) return answered
    throw noHistory(file)
  })
}

/** @returns undefined when no validator answers on the port. */
async function readFromValidator(
  query: ReportRequest,
  signal: AbortSignal,
): Promise<MinersReport | undefined> {
  const search = new URLSearchParams({ hours: String(query.hours ?? DEFAULT_HOURS) })
  if (query.miner !== undefined) search.set('miner', query.miner)
  const answer = await getJson(query.statusPort, `/report?${search}`, signal)
  const parsed = reportDocument.safeParse(answer?.body)
  if (parsed.success) return { source: 'validator', ...parsed.data }
  if (answer?.status !== 503) return undefined
  throw unavailable(
    `The validator on port ${query.statusPort} could not make a report: ${JSON.stringify(answer.body).slice(0, 200)}.`,
    'Try again in a few seconds; the log of the validator has the reason.',
  )
}

/** Scores only complement the history, so a report does not fail when no validator answers. */
async function readStatus({ clock, statusPort }: ReportRequest, signal: AbortSignal) {
  const answer = withDeadline(clock, 'the status', STATUS_TIMEOUT_MS, signal, (inner) =>
    getJson(statusPort, '/status', inner),
  )
  const parsed = validatorStatus.safeParse((await answer.catch(() => undefined))?.body)
  signal.throwIfAborted()
  return parsed.success ? parsed.data : null
}

async function getJson(port: number, path: string, signal: AbortSignal) {
  if (port === 0) return undefined
  try {
    const answer = await askStatusPort(port, path, signal)
    return answer.body === undefined ? undefined : answer
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

async function readDatabase(
  { clock, miner, hours = DEFAULT_HOURS }: ReportRequest,
  place: HistoryPlace,
  now: ValidatorStatus | null,
  signal: AbortSignal,
): Promise<Omit<MinersReport, 'source'>> {
  const since = new Date(clock.now() - hours * 3_600_000)
  const database = await openDatabase(place, { isReadOnly: true })
  try {
    const all: typeof database.all = (query) => {
      signal.throwIfAborted()
      return database.all(query)
    }
    const abortable = { ...database, all }
    if (database.kind === 'embedded') {
      // the status port may belong to another validator of this machine
      const isOwn = now === null || [now.hotkey, undefined].includes(await readNewestValidator(abortable))
      const miners = await reportMiners(abortable, { miner, since })
      return { since: since.toISOString(), miners, now: isOwn ? now : null }
    }
    const miners = await reportMiners(abortable, { miner, since, validator: now?.hotkey })
    return { since: since.toISOString(), miners, now }
  } catch (error) {
    signal.throwIfAborted()
    throw unavailable(`The history could not be read: ${messageOf(error)}.`, adviceOn(error, place), error)
  } finally {
    await database.close()
  }
}

function adviceOn(error: unknown, place: HistoryPlace): string {
  if (isOlderSchema(error)) return 'Start the validator once with this release; it updates the database.'
  return 'url' in place
    ? 'Check the PostgreSQL server, and that the user of --database.url may read the tables of the validator.'
    : `Try again. If it recurs, check the disk and the permissions of ${place.file}.`
}

async function isReadable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  )
}

function noHistory(file: string): TargonError {
  return unavailable(
    `There is no history at ${file} that this user can read, and no validator answers.`,
    'Start the validator, or pass the --metrics.port, --wallet.name, --wallet.hotkey and --netuid it runs with.',
  )
}

function unavailable(message: string, next: string, cause?: unknown): TargonError {
  return new TargonError(message, { code: 'HISTORY_UNAVAILABLE', fault: 'runtime', next }, { cause })
}
