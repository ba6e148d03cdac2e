import { type Clock, every, type Log } from '../../../kernel/index.js'
import { describeRow, readRow } from './row.js'
import type { RowFolder } from './row-folder.js'
import { type KeptRow, RowIndex } from './row-index.js'
import { createRowWriter } from './row-writer.js'
import type { OrganicRecord, OrganicStore } from './types.js'

export interface RowStore extends OrganicStore {
  /** Rows that have not expired, the oldest first. */
  rows(): readonly KeptRow[]
  /** Its JSON text in UTF-8. */
  read(row: KeptRow): Promise<Buffer | undefined>
  remove(names: Iterable<string>): Promise<void>
  counts(): RowCounts
}

export interface RowCounts {
  readonly rows: number
  readonly bytes: number
  /** Records that were not kept: too large, too many at once, or not writable. */
  readonly dropped: number
}

export interface RowStoreOptions {
  readonly folder: RowFolder
  readonly retainMs: number
  readonly maxBytes: number
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** Files at most, whatever their size: a few hundred bytes of each are in memory. */
const MAX_ROWS = 100_000
const SWEEP_MS = 60_000

/** Opens the rows of an earlier process and keeps new ones, within bounds of age, number and bytes; the oldest go first. */
export async function openRowStore(options: RowStoreOptions): Promise<RowStore> {
  const { folder, retainMs, clock, log, signal } = options
  const index = await readIndex(options)
  const most = { rows: MAX_ROWS, bytes: options.maxBytes }
  const writer = createRowWriter({ folder, index, most, log })
  let tooLarge = 0
  const sweep = () => writer.remove(() => index.expired(clock.now() - retainMs))
  await sweep()
  void every(clock, Math.min(SWEEP_MS, retainMs), signal, sweep, () => {})
  return {
    record: (record: OrganicRecord) => {
      const row = describeRow(record, clock.now())
      if (row) writer.keep(row)
      else tooLarge++
    },
    rows: () => index.newerThan(clock.now() - retainMs),
    read: (row) => folder.read(row.name),
    remove: (names) => writer.remove(() => names),
    counts: () => ({ rows: index.size, bytes: index.bytes, dropped: tooLarge + writer.dropped }),
    close: () => writer.idle(),
  }
}

/** Reads every row once. Those that cannot be read, are damaged, or come from the future are deleted. */
async function readIndex({ folder, clock, log, signal }: RowStoreOptions): Promise<RowIndex> {
  const rows: KeptRow[] = []
  let unreadable = 0
  for (const name of await folder.list()) {
    signal.throwIfAborted()
    const text = await folder.read(name)
    const facts = text === undefined ? undefined : readRow(text)
    if (facts && facts.atMs <= clock.now()) rows.push({ ...facts, name })
    else {
      unreadable++
      await folder.remove(name)
    }
  }
  if (unreadable > 0)
    log.warn(
      { event: 'organics-unreadable', rows: unreadable },
      'deleted kept requests that were half written or encrypted with another key',
    )
  const index = new RowIndex()
  for (const row of rows.sort((a, b) => a.atMs - b.atMs)) index.add(row)
  return index
}
