import { stat } from 'node:fs/promises'
import { request } from 'undici'
import { z } from 'zod'
import { type Clock, withDeadline } from '../../clock.js'
import { TargonError } from '../../errors.js'
import { type MinerReport, minerReport, openDatabase, reportMiners } from '../../history/index.js'
import { lockHotkey } from './hotkey-lock.js'
import { historyFolder } from './records.js'

const TIMEOUT_MS = 30_000
const document = z.object({ since: z.string(), miners: z.array(minerReport) })

export interface ReportRequest {
  readonly clock: Clock
  /** A uid or a hotkey; everybody when absent. */
  readonly miner?: string | undefined
  /** How far back; default 24. */
  readonly hours?: number | undefined
  readonly stateDir: string
  /** Port of a validator that may be running here. */
  readonly statusPort: number
  readonly databaseUrl?: string | undefined
  readonly signal: AbortSignal
}

export interface MinersReport {
  /** Who answered: Postgres, the running validator, or the embedded database itself. */
  readonly source: 'postgres' | 'validator' | 'embedded'
  readonly since: string
  readonly miners: readonly MinerReport[]
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
    if (databaseUrl !== undefined) return readDirectly(wanted, { url: databaseUrl }, 'postgres')
    const answered = await askValidator(wanted, inner)
    if (answered) return answered
    const folder = historyFolder(wanted.stateDir)
    if (!(await exists(folder))) throw noHistory(folder)
    const release = await lockHotkey({
      stateDir: wanted.stateDir,
      hotkey: 'of this neuron',
      onLost: () => {},
      retries: 0,
    })
    try {
      return await readDirectly(wanted, { folder }, 'embedded')
    } finally {
      await release()
    }
  })
}

/** @returns undefined when nobody listens on the port. */
async function askValidator(wanted: ReportRequest, signal: AbortSignal): Promise<MinersReport | undefined> {
  const query = new URLSearchParams({ hours: String(wanted.hours ?? 24) })
  if (wanted.miner !== undefined) query.set('miner', wanted.miner)
  let answer: Awaited<ReturnType<typeof request>>
  try {
    answer = await request(`http://127.0.0.1:${wanted.statusPort}/report?${query}`, { signal })
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') return undefined
    throw error
  }
  const text = await answer.body.text()
  if (answer.statusCode !== 200)
    throw new TargonError(`The validator on port ${wanted.statusPort} has no report: ${text.slice(0, 200)}`, {
      code: 'HISTORY_UNAVAILABLE',
      fault: 'runtime',
      next: 'See its log for the reason.',
    })
  return { source: 'validator', ...document.parse(JSON.parse(text)) }
}

async function readDirectly(
  { clock, miner, hours = 24 }: ReportRequest,
  place: Parameters<typeof openDatabase>[0],
  source: MinersReport['source'],
): Promise<MinersReport> {
  const since = new Date(clock.now() - hours * 3_600_000)
  const { database, close } = await openDatabase(place)
  try {
    return { source, since: since.toISOString(), miners: await reportMiners(database, { miner, since }) }
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
  return new TargonError(`There is no history at ${folder}, and no validator answers.`, {
    code: 'HISTORY_UNAVAILABLE',
    fault: 'runtime',
    next: 'Start the validator, or give the --wallet.name, --wallet.hotkey and --netuid it ran with.',
  })
}
