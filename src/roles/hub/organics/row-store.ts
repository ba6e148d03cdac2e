import { type Clock, every, type Log } from '../../../kernel/index.js'
import { describeRow, type Row, type RowFacts, readRow } from './row.js'
import type { RowFolder } from './row-folder.js'
import type { OrganicRecord, OrganicStore } from './types.js'

/** A row on disk. */
export interface KeptRow extends RowFacts {
  readonly name: string
}

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

/** Files at most, whatever their size. */
const MAX_ROWS = 100_000
/** Text that waits for the disk. */
const MAX_WAITING_BYTES = 64 << 20
const SWEEP_MS = 60_000
/** Opens the rows of an earlier process and keeps new ones, within bounds of age, number and bytes; the oldest go first. */
export async function openRowStore(options: RowStoreOptions): Promise<RowStore> {
  const { folder, retainMs, clock, log, signal } = options
  const index = await readIndex(options)
  let waitingBytes = 0
  let dropped = 0
  let isFailing = false
  let last: Promise<unknown> = Promise.resolve()

  /** Runs after everything that was asked before. @returns whether it succeeded. */
  const enqueue = (work: () => Promise<void>): Promise<boolean> => {
    const result = last.then(work).then(
      () => {
        isFailing = false
        return true
      },
      (error: unknown) => {
        if (!isFailing)
          log.warn(
            { event: 'organics-not-written', err: error },
            'could not write to the folder of kept requests; users are still served, but validators get fewer answers',
          )
        isFailing = true
        return false
      },
    )
    last = result
    return result
  }
  const remove = async (names: Iterable<string>) => {
    for (const name of names) {
      await folder.remove(name)
      index.delete(name)
    }
  }
  const sweep = () => enqueue(() => remove(index.expired(clock.now() - retainMs)))
  const write = async ({ portions, facts }: Row) => {
    const name = folder.name()
    await folder.write(name, portions)
    index.add({ ...facts, name })
    await remove(index.overflow(options.maxBytes))
  }
  const keep = async (row: Row) => {
    const { bytes } = row.facts
    waitingBytes += bytes
    if (!(await enqueue(() => write(row)))) dropped++
    waitingBytes -= bytes
  }
  await sweep()
  void every(
    clock,
    Math.min(SWEEP_MS, retainMs),
    signal,
    async () => void (await sweep()),
    () => {},
  )
  return {
    record: (record: OrganicRecord) => {
      const row = describeRow(record, clock.now())
      if (row && waitingBytes + row.facts.bytes <= MAX_WAITING_BYTES) void keep(row)
      else dropped++
    },
    rows: () => index.newerThan(clock.now() - retainMs),
    read: (row) => folder.read(row.name),
    remove: async (names) => void (await enqueue(() => remove(names))),
    counts: () => ({ rows: index.size, bytes: index.bytes, dropped }),
    close: async () => void (await last),
  }
}

/** Rows by file name, in the order in which they were kept. */
class RowIndex {
  readonly #rows = new Map<string, KeptRow>()
  bytes = 0

  get size(): number {
    return this.#rows.size
  }

  add(row: KeptRow): void {
    this.#rows.set(row.name, row)
    this.bytes += row.bytes
  }

  delete(name: string): void {
    this.bytes -= this.#rows.get(name)?.bytes ?? 0
    this.#rows.delete(name)
  }

  newerThan(atMs: number): KeptRow[] {
    return [...this.#rows.values()].filter((row) => row.atMs > atMs)
  }

  expired(atMs: number): string[] {
    return [...this.#rows.values()].flatMap((row) => (row.atMs <= atMs ? [row.name] : []))
  }

  /** Names of the oldest rows, as many as are above the bounds. */
  overflow(maxBytes: number): string[] {
    const names: string[] = []
    let { bytes, size } = this
    for (const row of this.#rows.values()) {
      if (bytes <= maxBytes && size <= MAX_ROWS) break
      names.push(row.name)
      bytes -= row.bytes
      size--
    }
    return names
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
