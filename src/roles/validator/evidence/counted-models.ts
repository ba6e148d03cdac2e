import type { ScoreBook } from '../../../scoring/index.js'
import type { SubnetView } from '../subnet/index.js'

/** Whether evidence scores a miner 0 for a model. */
export type IsBarred = (hotkey: string, model: string) => boolean

/**
 * Models that count for a miner's score: those it serves and evidence does not bar it from. A miner that has not yet
 * answered for its models keeps its old ones.
 */
export function countedModels(
  view: Pick<SubnetView, 'servedBy'>,
  book: Pick<ScoreBook, 'models'>,
  hotkey: string,
  isBarred: IsBarred = () => false,
): readonly string[] {
  const served = view.servedBy(hotkey) ?? book.models(hotkey)
  return served.filter((model) => !isBarred(hotkey, model))
}
