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
  /** A uid or a hotkey; everybody when absent. */
  readonly miner?: string | undefined
  /** How far back; default 24. */
  readonly hours?: number | undefined
  readonly stateDir: string
  /** Port of a validator that may be running here; 0 when it is not known. */
  readonly statusPort: number
  readonly databaseUrl?: string | undefined
  readonly signal: AbortSignal
}

export interface MinersReport {
  /** Who answered: Postgres, the running validator, or the embedded database itself. */
  readonly source: 'postgres' | 'validator' | 'embedded'
  readonly since: string
  readonly miners: readonly MinerReport[]
  /** Scores and weights of the validator that runs here; null when none answers. */
  readonly now: ValidatorStatus | null
}

/**
 * Why miners have their scores. With Postgres it is read directly; otherwise the running validator is asked, because the
 * embedded database belongs to one process; only when none runs is it opened here, under the lock of the hotkey.
 *
 * @throws TargonError HISTORY_UNAVAILABLE (runtime), HOTKEY_IN_USE (hotkey-in-use): a validator runs on another port
 */
export async function readMinersReport(wanted: ReportRequest): Promise<MinersReport> {
  const { clock, databaseUrl, signal } = wanted
  return withDeadline(clock, 'the report', TIMEOUT_MS, signal, async (inner) => {
    if (databaseUrl !== undefined) {
      const now = await askStatus(wanted, inner)
      return { ...(await readDirectly(wanted, { url: databaseUrl }, now?.hotkey)), source: 'postgres', now }
    }
    const answered = await askValidator(wanted, inner)
    if (answered) return answered
    const folder = historyFolder(wanted.stateDir)
    if (!(await exists(folder))) throw noHistory(folder)
    const lock = await lockIdle(wanted)
    try {
      return { ...(await readDirectly(wanted, { folder })), source: 'embedded', now: null }
    } finally {
      await lock.release()
    }
  })
}

/** @returns undefined when no validator answers on the port: nobody does, or something else. */
async function askValidator(wanted: ReportRequest, signal: AbortSignal): Promise<MinersReport | undefined> {
  const query = new URLSearchParams({ hours: String(wanted.hours ?? DEFAULT_HOURS) })
  if (wanted.miner !== undefined) query.set('miner', wanted.miner)
  const answer = await getJson(wanted.statusPort, `/report?${query}`, signal)
  const parsed = document.safeParse(answer?.body)
  if (parsed.success) return { source: 'validator', ...parsed.data }
  if (answer?.status !== 503) return undefined
  throw unavailable(
    `The validator on port ${wanted.statusPort} has no report: ${JSON.stringify(answer.body).slice(0, 200)}.`,
    'Ask again in some seconds; its log has the reason.',
  )
}

/** With Postgres scores are an addition: nobody there is no reason to fail. */
async function askStatus({ clock, statusPort }: ReportRequest, signal: AbortSignal) {
  const asked = withDeadline(clock, 'the status', STATUS_TIMEOUT_MS, signal, (inner) =>
    getJson(statusPort, '/status', inner),
  )
  const parsed = validatorStatus.safeParse((await asked.catch(() => undefined))?.body)
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

/** The lock of the hotkey, so that no validator can start while its database is open here. */
async function lockIdle({ clock, stateDir, statusPort }: ReportRequest): Promise<HotkeyLock> {
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
      `A validator runs with this hotkey, and it does not answer on 127.0.0.1:${statusPort}.`,
      {
        code: 'HOTKEY_IN_USE',
        fault: 'hotkey-in-use',
        next: 'Give its port with --metrics.port; it logs it as "status server listening". One that was killed holds the lock for 10 seconds more.',
      },
      { cause },
    )
  }
}

async function readDirectly(
  { clock, miner, hours = DEFAULT_HOURS }: ReportRequest,
  place: HistoryPlace,
  validator?: string,
) {
  const since = new Date(clock.now() - hours * 3_600_000)
  const { database, close } = await openDatabase(place)
  try {
    // The embedded one may be of an older release, and nobody else has it open.
    if ('folder' in place) await migrate(database)
    return { since: since.toISOString(), miners: await reportMiners(database, { miner, since, validator }) }
  } catch (error) {
    throw unavailable(
      `The history cannot be read: ${messageOf(error)}.`,
      'A validator of this release must have written there first.',
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
    `There is no history at ${folder}, and no validator answers.`,
    'Start the validator, or give the --metrics.port, --wallet.name, --wallet.hotkey and --netuid it runs with.',
  )
}

function unavailable(message: string, next: string, cause?: unknown): TargonError {
  return new TargonError(message, { code: 'HISTORY_UNAVAILABLE', fault: 'runtime', next }, { cause })
}
