import { stat } from 'node:fs/promises'
import { accountsPlace } from '../../accounts/index.js'
import { hasCode, messageOf } from '../../kernel/index.js'
import type { Check, HubContext } from '../context.js'
import { fail, ok, type Seen, warn } from '../finding.js'
import { isSqlite } from './services.js'

/** The database of the API keys. */
export const hubDatabaseCheck: Check<HubContext> = {
  id: 'database',
  title: 'the answer of the database of the keys',
  run: async ({ settings, stateDir }) => {
    if (settings['database.url'] !== undefined) return [await serverFinding(settings['database.url'])]
    if (stateDir === undefined) return []
    const place = accountsPlace({ url: undefined, stateDir })
    return 'file' in place ? [await fileFinding(place.file)] : []
  },
}

async function serverFinding(url: string): Promise<Seen> {
  const { examineAccounts } = await import('../../accounts/index.js')
  const { server, isPooled, schema } = await examineAccounts(url)
  const how = isPooled ? `${server} answers, behind a pooler` : `${server} answers`
  if (schema === 'newer')
    return warn(
      `${how}; a newer release of targon wrote the tables of the keys.`,
      'Run targon update, so that every hub that shares this database is of one release.',
    )
  if (schema === 'new') return ok(`${how}; the tables of the keys are created at first use.`)
  if (schema === 'older')
    return ok(`${how}; the tables of the keys are brought up to date at the next start.`)
  return ok(`${how}, and has the tables of the keys.`)
}

/** Reads the file as bytes: a connection could write beside it. */
async function fileFinding(file: string): Promise<Seen> {
  try {
    const { mode } = await stat(file)
    if (!(await isSqlite(file)))
      return fail(
        `${file} is not an SQLite file, so no key can be read.`,
        `Restore it from a backup, or read what it still holds with: sqlite3 ${file} .recover`,
      )
    if ((mode & 0o077) !== 0)
      return warn(`Other users of this machine can read the keys in ${file}.`, `Run: chmod 600 ${file}`)
    return ok(`The keys are kept in ${file}.`)
  } catch (error) {
    if (hasCode(error, 'ENOENT'))
      return warn(
        `There is no key yet; they will be kept in ${file}.`,
        'Create one with targon hub keys create NAME.',
      )
    return fail(`The keys cannot be read: ${messageOf(error)}.`, `Correct the owner of ${file}.`)
  }
}
