import { stat } from 'node:fs/promises'
import { request } from 'undici'
import { z } from 'zod'
import {
  type HistoryPlace,
  type MinerReport,
  migrate,
  minerReport,
  openDatabase,
  reportMiners,
} from '../../../history/index.js'
import {
  type Clock,
  type HotkeyLock,
  lockHotkey,
  messageOf,
  TargonError,
  withDeadline,
} from '../../../kernel/index.js'
import { historyFolder, validatorLockPath } from './records.js'
import { type ValidatorStatus, validatorStatus } from './status.js'

const TIMEOUT_MS = 30_000
const DEFAULT_HOURS = 24
const STATUS_TIMEOUT_MS = 3000
const document = z.object({ since: z.string(), miners: z.array(minerReport), now: validatorStatus })

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
 * Reads why miners have their scores. Postgres is read directly. The embedded database can only be open in one process,
 * so the running validator is asked; if none runs the database is opened here, under the hotkey lock.
 *
 * @throws TargonError HISTORY_UNAVAILABLE (runtime), HOTKEY_IN_USE (hotkey-in-use): a validator runs on another port
 */
export async function readMinersReport(query: ReportRequest): Promise<MinersReport> {
  const { clock, databaseUrl, signal } = query
  return withDeadline(clock, 'the report', TIMEOUT_MS, signal, async (inner) => {
    if (databaseUrl !== undefined) {
      const now = await readStatus(query, inner)
      return { ...(await readDatabase(query, { url: databaseUrl }, now?.hotkey)), source: 'postgres', now }
    }
    const answered = await readFromValidator(query, inner)
    if (answered) return answered
    const folder = historyFolder(query.stateDir)
    if (!(await exists(folder))) throw noHistory(folder)
    const lock = await lockHistory(query)
    try {
      return { ...(await readDatabase(query, { folder })), source: 'embedded', now: null }
    } finally {
      await lock.release()
    }
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
  const parsed = document.safeParse(answer?.body)
  if (parsed.success) return { source: 'validator', ...parsed.data }
  if (answer?.status !== 503) return undefined
  throw unavailable(
    `The validator on port ${query.statusPort} could not make a report: ${JSON.stringify(answer.body).slice(0, 200)}.`,
    'Try again in a few seconds; the log of the validator has the reason.',
  )
}

/** Scores only complement a report from Postgres, so it does not fail when no validator answers. */
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
    const answer = await request(`http://127.0.0.1:${port}${path}`, { signal })
    return { status: answer.statusCode, body: JSON.parse(await answer.body.text()) as unknown }
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

/** Takes the hotkey lock, so that no validator can start while its database is open here. */
async function lockHistory({ clock, stateDir, statusPort }: ReportRequest): Promise<HotkeyLock> {
  try {
    const log = { info: () => {}, warn: () => {} }
    return await lockHotkey({
      path: validatorLockPath(stateDir),
      use: 'validates with this hotkey',
      ...{ clock, log, waitMs: 0 },
    })
  } catch (cause) {
    if (!(cause instanceof TargonError && cause.code === 'HOTKEY_IN_USE')) throw cause
    throw new TargonError(
      `A validator is running with this hotkey but does not answer on 127.0.0.1:${statusPort}.`,
      {
        code: 'HOTKEY_IN_USE',
        fault: 'hotkey-in-use',
        next: 'Pass its status port with --metrics.port (the event status-server-listening shows it). If it was killed, wait 10 seconds for its lock to expire.',
      },
      { cause },
    )
  }
}

async function readDatabase(
  { clock, miner, hours = DEFAULT_HOURS }: ReportRequest,
  place: HistoryPlace,
  validator?: string,
) {
  const since = new Date(clock.now() - hours * 3_600_000)
  const { database, close } = await openDatabase(place)
  try {
    // The embedded database may be from an older release; no other process has it open.
    if ('folder' in place) await migrate(database)
    return { since: since.toISOString(), miners: await reportMiners(database, { miner, since, validator }) }
  } catch (error) {
    throw unavailable(
      `The history could not be read: ${messageOf(error)}.`,
      'Start the validator once with this release; it updates the database.',
      error,
    )
  } finally {
    await close()
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function noHistory(folder: string): TargonError {
  return unavailable(
    `There is no history in ${folder}, and no validator answers.`,
    'Start the validator, or pass the --metrics.port, --wallet.name, --wallet.hotkey and --netuid it runs with.',
  )
}

function unavailable(message: string, next: string, cause?: unknown): TargonError {
  return new TargonError(message, { code: 'HISTORY_UNAVAILABLE', fault: 'runtime', next }, { cause })
}
