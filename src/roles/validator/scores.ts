import type { Logger } from 'pino'
import type { Metagraph } from '../../chain/index.js'
import { messageOf } from '../../errors.js'
import { openScoreFile, readCache4, ScoreBook } from '../../scoring/index.js'

/** The score book with its file: loaded at start, saved after every round and at the end. */
export interface Scores {
  readonly book: ScoreBook
  /** Never rejects: a full disk is an alarm, the book goes on in memory. */
  save(): Promise<void>
  /** Undefined while the last save worked, else why it did not. */
  readonly trouble: () => string | undefined
}

/**
 * Loads the scores of this neuron; a 4.x cache.json is imported with its uids resolved to the hotkeys of now.
 *
 * @throws TargonError SCORE_FILE_PICKLE, SCORE_FILE_UNREADABLE (fault usage)
 */
export async function openScores(
  path: string,
  metagraph: Metagraph,
  epochLength: number,
  log: Logger,
): Promise<Scores> {
  const file = openScoreFile(path)
  const loaded = await file.load()
  let book = new ScoreBook()
  if (loaded.kind === 'book') {
    book = ScoreBook.from(loaded.data)
    if (loaded.generation === 'previous') log.warn({ path }, 'scores restored from the previous generation')
  } else if (loaded.kind === 'cache4') importCache4(loaded.text, book, metagraph, log)
  else log.info({ reason: loaded.reason }, 'scores start empty')
  const left = book.keepOnly(new Set(metagraph.neurons.map(({ hotkey }) => hotkey)))
  const trimmed = book.hotkeys.length > 0 && book.trimStale(metagraph.block, epochLength)
  if (book.hotkeys.length > 0)
    log.info({ miners: book.hotkeys.length, left: left.length, block: book.block, trimmed }, 'scores loaded')

  let trouble: string | undefined
  return {
    book,
    trouble: () => trouble,
    save: async () => {
      try {
        await file.save(book.toData())
        trouble = undefined
      } catch (error) {
        const reason = messageOf(error)
        if (trouble === undefined) log.error({ path, error: reason }, 'scores cannot be saved')
        trouble = `scores cannot be saved: ${reason}`
      }
    },
  }
}

function importCache4(text: string, book: ScoreBook, metagraph: Metagraph, log: Logger): void {
  const cache = readCache4(text, metagraph.block)
  if (cache.kind === 'ignored') {
    log.warn({ reason: cache.reason }, 'scores of 4.x ignored')
    return
  }
  let miners = 0
  for (const [uid, results] of cache.results) {
    const hotkey = metagraph.neurons[uid]?.hotkey
    if (hotkey === undefined) continue
    for (const [model, window] of results) {
      for (const result of window) book.record(hotkey, model, result, cache.block)
    }
    miners++
  }
  log.info({ miners, block: cache.block }, 'scores of 4.x imported')
}
