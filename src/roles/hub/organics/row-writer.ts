import type { Log } from '../../../kernel/index.js'
import type { Row } from './row.js'
import type { RowFolder } from './row-folder.js'
import type { RowIndex } from './row-index.js'

/** Changes the folder of rows and the index with it, one step after the other. */
export interface RowWriter {
  /** Rows that were not kept, because too many waited or a write failed. */
  readonly dropped: number
  /** Writes a row soon, or drops it. */
  keep(row: Row): void
  /** Deletes rows after what was asked before. @param names is called when it is their turn. */
  remove(names: () => Iterable<string>): Promise<void>
  /** Resolves when nothing is left to do. */
  idle(): Promise<void>
}

export interface RowWriterOptions {
  readonly folder: RowFolder
  readonly index: RowIndex
  readonly most: { readonly rows: number; readonly bytes: number }
  readonly log: Log
}

/** Rows that wait in memory for the disk. Further ones are dropped: a disk that is too slow for them stays so. */
const MAX_WAITING = { rows: 1000, bytes: 32 << 20 }
/** Files that are written or deleted at the same time. */
const FILES_AT_ONCE = 16

export function createRowWriter(options: RowWriterOptions): RowWriter {
  const { folder, index, most } = options
  const noteFailure = createFailureLog(options.log)
  const waiting: Row[] = []
  let waitingBytes = 0
  let dropped = 0
  let last: Promise<void> = Promise.resolve()

  const enqueue = (work: () => Promise<void>): Promise<void> => {
    last = last.then(work).catch(noteFailure)
    return last
  }
  const remove = async (names: Iterable<string>) => {
    const all = [...names]
    for (let at = 0; at < all.length; at += FILES_AT_ONCE)
      await Promise.all(
        all.slice(at, at + FILES_AT_ONCE).map(async (name) => {
          await folder.remove(name)
          index.delete(name)
        }),
      )
  }
  const writeSome = async () => {
    const rows = waiting.splice(0, FILES_AT_ONCE)
    const written = rows.map(async ({ portions, facts }) => {
      const name = folder.name()
      await folder.write(name, portions)
      return { ...facts, name }
    })
    for (const file of await Promise.allSettled(written)) {
      noteFailure(file.status === 'rejected' ? file.reason : undefined)
      if (file.status === 'fulfilled') index.add(file.value)
      else dropped++
    }
    for (const { facts } of rows) waitingBytes -= facts.bytes
    if (waiting.length > 0) void enqueue(writeSome)
    await remove(index.overflow(most))
  }
  return {
    get dropped() {
      return dropped
    },
    keep: (row) => {
      const { bytes } = row.facts
      if (waiting.length >= MAX_WAITING.rows || waitingBytes + bytes > MAX_WAITING.bytes) {
        dropped++
        return
      }
      if (waiting.length === 0) void enqueue(writeSome)
      waiting.push(row)
      waitingBytes += bytes
    },
    remove: (names) => enqueue(() => remove(names())),
    idle: async () => {
      // Work that is done may have asked for more.
      for (let done: unknown; done !== last; ) {
        done = last
        await last
      }
    },
  }
}

/** Says once that the folder does not work; undefined: it works again. */
function createFailureLog(log: Log): (error: unknown) => void {
  let isFailing = false
  return (error) => {
    if (error !== undefined && !isFailing)
      log.warn(
        { event: 'organics-not-written', err: error },
        'could not write to the folder of kept requests; users are still served, but validators get fewer answers',
      )
    isFailing = error !== undefined
  }
}
