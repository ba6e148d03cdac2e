import { type DatabaseDescription, describeServer } from '../database/index.js'
import { openDatabase } from './open-database.js'

/**
 * Connects to the server of the history and reads its version; creates and changes nothing.
 *
 * @throws TargonError HISTORY_UNAVAILABLE (runtime)
 */
export async function examineDatabase(url: string): Promise<DatabaseDescription> {
  const database = await openDatabase({ url })
  try {
    return await describeServer(database)
  } finally {
    await database.close()
  }
}
