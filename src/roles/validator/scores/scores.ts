import type { Metagraph } from '../../../chain/index.js'
import type { Clock, Log } from '../../../kernel/index.js'
import { type OrganicBounds, openScoreFile, readCache4, ScoreBook } from '../../../scoring/index.js'
import { createSaver } from './saver.js'

/** The score book and its file, which is loaded at the start and saved after every round and at the end. */
export interface Scores {
  readonly book: ScoreBook
  /** Never rejects and never hangs: if the disk is full or does not respond, it logs an error and the book stays in memory. */
  save(): Promise<void>
  /** Why the last save failed; undefined when it succeeded. */
  readonly trouble: () => string | undefined
}

/**
 * Loads the scores of this neuron; imports a 4.x cache.json by resolving its uids to their current hotkeys.
 *
 * @throws TargonError SCORE_FILE_PICKLE, SCORE_FILE_UNREADABLE (fault usage)
 */
export async function openScores(
  path: string,
  metagraph: Metagraph,
  epochLength: number,
  { clock, log, bounds }: { readonly clock: Clock; readonly log: Log; readonly bounds?: OrganicBounds },
): Promise<Scores> {
  const file = openScoreFile(path)
  const loaded = await file.load()
  let book = new ScoreBook(bounds)
  if (loaded.kind === 'book') {
    book = ScoreBook.from(loaded.data, bounds)
    if (loaded.generation === 'previous')
      log.warn({ event: 'scores-restored', path }, 'restored scores from the previous save')
  } else if (loaded.kind === 'cache4') importCache4(loaded.text, book, metagraph, log)
  else
    log[loaded.isDamaged ? 'error' : 'info'](
      { event: 'scores-empty', reason: loaded.reason },
      'starting with empty scores',
    )
  const removed = book.keepOnly(new Set(metagraph.neurons.map(({ hotkey }) => hotkey)))
  const trimmed = book.hotkeys.length > 0 && book.trimStale(metagraph.block, epochLength)
  if (book.hotkeys.length > 0)
    log.info(
      {
        event: 'scores-loaded',
        miners: book.hotkeys.length,
        left: removed.length,
        block: book.block,
        trimmed,
      },
      'loaded the scores',
    )

  const saver = createSaver({ clock }, 'saving the scores', () => file.save(book.toData()), {
    failed: (error) =>
      log.error({ event: 'scores-save-failed', path, err: error }, 'could not save the scores'),
    recovered: () => log.info({ event: 'scores-saved-again', path }, 'saving the scores works again'),
  })
  const trouble = () => {
    const reason = saver.trouble()
    return reason === undefined ? undefined : `scores cannot be saved: ${reason}`
  }
  return { book, trouble, save: saver.save }
}

function importCache4(text: string, book: ScoreBook, metagraph: Metagraph, log: Log): void {
  const cache = readCache4(text, metagraph.block)
  if (cache.kind === 'ignored') {
    log.warn({ event: 'cache4-ignored', reason: cache.reason }, 'ignored the scores of Targon 4.x')
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
  const { block, dropped } = cache
  log.info({ event: 'cache4-imported', miners, block, dropped }, 'imported the scores of Targon 4.x')
}
