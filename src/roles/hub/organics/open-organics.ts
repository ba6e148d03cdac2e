import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Log } from '../../../kernel/index.js'
import { type Buckets, openBuckets } from './buckets.js'
import { openRowFolder } from './row-folder.js'
import { openRowStore, type RowCounts } from './row-store.js'
import { createSealing, readSealingKey, unsealed } from './sealing.js'
import type { OrganicStore } from './types.js'

/** Settings of the retention, under the names of the settings table. Durations are in milliseconds. */
export interface RetentionOptions {
  /** Folder of the kept requests; it belongs to this hub alone. */
  readonly folder: string
  /** 0 keeps nothing and deletes what was kept. */
  readonly retainMs: number
  readonly retainBytes: number
  readonly keyFile: string | undefined
  readonly bucketRows: number
  readonly bucketAgeMs: number
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly signal: AbortSignal
}

export interface Organics extends OrganicStore {
  /** Undefined when nothing is kept. */
  readonly buckets: Buckets | undefined
  counts(): RowCounts
}

/**
 * Opens the requests that are kept for validators. The caller holds a lock: one process per folder.
 *
 * @throws TargonError RETAIN_KEY_UNREADABLE; the file system's error when the folder cannot be used.
 */
export async function openOrganics(options: RetentionOptions): Promise<Organics> {
  const { folder: path, retainMs, keyFile, clock, log, random, signal } = options
  if (retainMs === 0) {
    await rm(path, { recursive: true, force: true })
    return {
      record: () => {},
      close: async () => {},
      buckets: undefined,
      counts: () => ({ rows: 0, bytes: 0, dropped: 0 }),
    }
  }
  const sealing = keyFile === undefined ? unsealed : createSealing(await readSealingKey(keyFile))
  const folder = await openRowFolder(path, sealing)
  const store = await openRowStore({ folder, retainMs, maxBytes: options.retainBytes, clock, log, signal })
  const buckets = await openBuckets({
    ...{ path: join(path, 'bucket.json'), store, clock, random },
    ...{ rows: options.bucketRows, ageMs: options.bucketAgeMs },
  })
  return { record: store.record, close: store.close, counts: store.counts, buckets }
}
