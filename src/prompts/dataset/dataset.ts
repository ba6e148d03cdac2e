import { join } from 'node:path'
import { type FileMetaData, parquetMetadataAsync } from 'hyparquet'
import { type Clock, messageOf, TargonError, withDeadline } from '../../kernel/index.js'
import type { QuestionSource } from '../prompt.js'
import type { Random } from '../random.js'
import { pageBytes, readPage } from './page.js'
import { createPageStore } from './page-store.js'
import { listShards, openShard } from './shards.js'

export interface DatasetOptions {
  /** URL or path of a Parquet file, or URL of a JSON list of Parquet files. */
  readonly source: string
  readonly cacheDir: string
  readonly random: Random
  readonly clock: Clock
  /** Called while a page is fetched, with the bytes so far and, once known, its approximate size. */
  readonly onProgress?: (bytes: number, ofBytes: number | undefined) => void
}

const PAGE_DEADLINE_MS = 120_000
/** Pause before the hub is contacted again after a failure. */
const PAUSE_MS = 300_000
const MAX_EMPTY_PAGES = 4

/** URL of the data set of 4.4.1 on a hub: `manifoldlabs/Infinity-Instruct`, subset 7M. */
export function infinityInstruct(hubUrl: string): string {
  return `${hubUrl.replace(/\/+$/, '')}/api/datasets/manifoldlabs/Infinity-Instruct/parquet/7M/train`
}

/**
 * Questions from the Parquet shards of a data set: one row group ("page") is in memory at a time, fetched by range requests
 * and cached on disk. `nextQuestion` throws TargonError DATASET (upstream) when neither the hub nor the cache has any.
 */
export function createDataset(options: DatasetOptions): QuestionSource {
  const { source, clock, random, onProgress } = options
  const store = createPageStore(join(options.cacheDir, 'dataset'))
  const footers = new Map<string, FileMetaData>()
  let shards: readonly string[] = []
  let page: string[] = []
  let failure: { readonly untilMs: number; readonly reason: string } | undefined

  const fetchPage = async (signal: AbortSignal): Promise<string[]> => {
    if (shards.length === 0) shards = await listShards(source, signal)
    const shard = random.pick(shards)
    let bytes = 0
    let ofBytes: number | undefined
    const onBytes = (more: number) => {
      bytes += more
      onProgress?.(bytes, ofBytes)
    }
    const file = await openShard(shard, signal, { onBytes })
    const footer = footers.get(shard) ?? (await parquetMetadataAsync(file))
    footers.set(shard, footer)
    const group = random.integer(0, footer.row_groups.length - 1)
    const cached = await store.read(shard, group)
    if (cached) return cached
    bytes = 0
    ofBytes = pageBytes(footer, group)
    const questions = await readPage(file, footer, group)
    if (questions.length > 0) await store.keep(shard, group, questions).catch(() => undefined)
    return questions
  }

  const cachedPage = async (): Promise<string[]> => {
    const names = await store.names()
    return names.length === 0 ? [] : ((await store.readNamed(random.pick(names))) ?? [])
  }

  const nextPage = async (signal: AbortSignal): Promise<string[]> => {
    if (!failure || clock.monotonic() >= failure.untilMs) {
      try {
        for (let attempt = 0; attempt < MAX_EMPTY_PAGES; attempt++) {
          const fetched = await withDeadline(
            clock,
            'reading the data set',
            PAGE_DEADLINE_MS,
            signal,
            fetchPage,
          )
          if (fetched.length > 0) return fetched
        }
        throw new Error('it contains no questions')
      } catch (error) {
        signal.throwIfAborted()
        failure = { untilMs: clock.monotonic() + PAUSE_MS, reason: messageOf(error) }
      }
    }
    const cached = await cachedPage()
    if (cached.length > 0) return cached
    throw unavailable(source, failure?.reason ?? 'nothing was read')
  }

  return {
    nextQuestion: async (signal) => {
      if (page.length === 0) page = [...(await nextPage(signal))]
      const [question] = page.splice(random.integer(0, page.length - 1), 1)
      return question ?? ''
    },
  }
}

function unavailable(source: string, reason: string): TargonError {
  return new TargonError(`The data set ${source} cannot be read: ${reason}.`, {
    code: 'DATASET',
    fault: 'upstream',
    next: 'Check --dataset.url. The bundled questions are used until it can be read.',
  })
}
