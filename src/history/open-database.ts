import { adviceOnOpening, type OpenOptions, openDatabase as openSql } from '../database/index.js'
import { messageOf, TargonError } from '../kernel/index.js'
import { type Database, type HistoryPlace, historySchema } from './database.js'

/**
 * Opens the database of the history. Its tables may be missing or those of an older release.
 *
 * @throws TargonError HISTORY_UNAVAILABLE (fault runtime); its message omits the URL, which contains a password.
 */
export async function openDatabase(place: HistoryPlace, options?: OpenOptions): Promise<Database> {
  try {
    return await openSql(place, historySchema, options)
  } catch (error) {
    throw new TargonError(
      `The history database could not be opened: ${messageOf(error)}.`,
      { code: 'HISTORY_UNAVAILABLE', fault: 'runtime', next: adviceOnOpening(error, place) },
      { cause: error },
    )
  }
}
