import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { type Clock, parseJson, putNewest, readIfExists, replaceFile } from '../../../kernel/index.js'
import { drawRows } from './draw.js'
import type { KeptRow } from './row-index.js'
import type { RowStore } from './row-store.js'

/** What every validator is handed until the next one is drawn. */
export interface Bucket {
  readonly id: string
  readonly rows: readonly KeptRow[]
}

export interface Buckets {
  /**
   * The current bucket; draws one when it is too old. Undefined when no row of a wanted model is kept.
   *
   * @param models those that the validator verifies. A bucket has rows of the models that any validator asked for lately.
   */
  current(models: readonly string[]): Promise<Bucket | undefined>
  /** The bucket that is handed out now, without drawing one; undefined when there is none. */
  drawn(): { readonly rows: number; readonly drawnAtMs: number; readonly endsAtMs: number } | undefined
  /** JSON text of a row in UTF-8; undefined when it has expired. */
  read(row: KeptRow): Promise<Buffer | undefined>
}

export interface BucketsOptions {
  /** Where the current bucket is noted, so that no row gets into a second one after a restart. */
  readonly path: string
  readonly store: RowStore
  readonly rows: number
  readonly ageMs: number
  readonly clock: Clock
  /** 0 ≤ x < 1 */
  readonly random: () => number
}

/** Validators read buckets of up to 64 MiB and 2,000,000 values. */
const MAX_BUCKET = { bytes: 48 << 20, values: 1_500_000 }
/** Models remembered; validators ask for at most 1,000. */
const MAX_MODELS = 10_000
/** Validators of 4.4.1 ask every four minutes. */
const MODEL_MEMORY_MS = 600_000

const notedBucket = z.object({
  id: z.string(),
  drawnAtMs: z.number().int(),
  names: z.array(z.string()),
})
type NotedBucket = z.output<typeof notedBucket>

/** @throws the file system's error when the note of the last bucket cannot be read. */
export async function openBuckets(options: BucketsOptions): Promise<Buckets> {
  const { path, store, clock } = options
  const wanted = createRecentNames(clock)
  let noted = readNote(await readIfExists(path))
  let last: Promise<unknown> = Promise.resolve()

  const isCurrent = ({ drawnAtMs }: NotedBucket) => {
    const ageMs = clock.now() - drawnAtMs
    return ageMs >= 0 && ageMs < options.ageMs
  }
  const current = async (): Promise<Bucket | undefined> => {
    if (noted && !isCurrent(noted)) {
      await store.remove(noted.names)
      noted = undefined
    }
    const rows = store.rows()
    if (!noted) {
      const limits = { rows: options.rows, ...MAX_BUCKET }
      const names = drawRows(
        rows.filter(({ model }) => wanted.has(model)),
        limits,
        options.random,
      ).map(({ name }) => name)
      if (names.length === 0) return undefined
      const next = { id: `b_${randomBytes(12).toString('base64url')}`, drawnAtMs: clock.now(), names }
      await replaceFile(path, JSON.stringify(next))
      noted = next
    }
    const names = new Set(noted.names)
    return { id: noted.id, rows: rows.filter(({ name }) => names.has(name)) }
  }
  return {
    read: (row) => store.read(row),
    drawn: () => {
      if (!noted || !isCurrent(noted)) return undefined
      const { names, drawnAtMs } = noted
      return { rows: names.length, drawnAtMs, endsAtMs: drawnAtMs + options.ageMs }
    },
    current: (models) => {
      for (const model of models) wanted.note(model)
      const next = last.then(current)
      last = next.catch(() => {})
      return next
    },
  }
}

/** An unreadable note means that some rows may be handed out twice, not that none are. */
function readNote(text: string | undefined): NotedBucket | undefined {
  return notedBucket.safeParse(text === undefined ? undefined : parseJson(text)).data
}

/** Names noted within the last minutes, at most as many as are remembered. */
function createRecentNames(clock: Clock) {
  const noted = new Map<string, number>()
  return {
    note: (name: string) => putNewest(noted, name, clock.monotonic(), MAX_MODELS),
    has: (name: string) =>
      clock.monotonic() - (noted.get(name) ?? Number.NEGATIVE_INFINITY) < MODEL_MEMORY_MS,
  }
}
