import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Log } from '../kernel/index.js'

/** 4.5.0 kept the history in a folder of PGlite, a PostgreSQL in WebAssembly. It is left as it is. */
export async function noteOldFolder(file: string, log: Log): Promise<void> {
  const folder = join(dirname(file), 'history')
  const isThere = await stat(join(folder, 'PG_VERSION')).catch(() => undefined)
  if (!isThere) return
  log.info(
    {
      event: 'history-old-folder',
      folder,
      next: 'docs/operating.md, “History of 4.5.0”, has the command that reads it; delete the folder when you no longer need it.',
    },
    'the results recorded by release 4.5.0 are in a folder that this release does not read; scores do not depend on them',
  )
}
