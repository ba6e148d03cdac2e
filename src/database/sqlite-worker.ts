import { parentPort } from 'node:worker_threads'
import Connection from 'libsql'
// nothing but the driver is loaded: each module would be loaded again for this thread
import type { Insertion, SqliteAnswer, SqliteJob, SqliteRow } from './sqlite-thread.js'

/** How long a statement waits for another process, a reader that recovers the log or a copying tool. */
const BUSY_MS = 5000
/** The log is cut back to this size after a checkpoint. */
const LOG_BYTES = 16 * 1024 * 1024

let connection: Connection.Database | undefined

function open(path: string, isReadOnly: boolean): void {
  // an address, because the driver has no option to open a file for reading only
  const address = isReadOnly ? `file:${encodeURI(path).replace(/[?#]/g, encodeURIComponent)}?mode=ro` : path
  connection = new Connection(address, { timeout: BUSY_MS })
  if (isReadOnly) return
  // Readers and the writer do not wait for each other, and what is committed survives a kill. After a power failure the last
  // seconds may be missing; the file stays whole.
  connection.exec(
    `pragma journal_mode = wal; pragma synchronous = normal; pragma journal_size_limit = ${LOG_BYTES}`,
  )
}

function write(database: Connection.Database, insertions: readonly Insertion[]): void {
  database.exec('begin immediate')
  try {
    for (const { sql, rows } of insertions) {
      const statement = database.prepare(sql)
      for (const row of rows) statement.run(row)
    }
    database.exec('commit')
  } catch (error) {
    // some errors, a full disk among them, have already ended the transaction
    if (database.inTransaction) database.exec('rollback')
    throw error
  }
}

function work(job: SqliteJob): readonly SqliteRow[] {
  if (job.kind === 'open') open(job.path, job.isReadOnly)
  else if (job.kind === 'close') connection?.close()
  else if (connection === undefined) throw new Error('the database is not open')
  else if (job.kind === 'write') write(connection, job.insertions)
  else {
    const statement = connection.prepare(job.statement.sql)
    if (statement.reader) return statement.all([...job.statement.parameters]) as SqliteRow[]
    statement.run([...job.statement.parameters])
  }
  return []
}

const UNOPENED = /^ConnectionFailed\(.*: (\d+)"\)$/

/** The driver gives errors of statements a result code, and mentions it only in the text of errors of opening. */
function failureOf(error: unknown): SqliteAnswer {
  const message = error instanceof Error ? error.message : String(error)
  const unopened = UNOPENED.exec(message)?.[1]
  if (unopened !== undefined)
    return { kind: 'error', message: 'the file cannot be opened', resultCode: Number(unopened) & 0xff }
  const raw = error instanceof Error && 'rawCode' in error ? Number(error.rawCode) : 0
  return { kind: 'error', message, resultCode: (Number.isNaN(raw) ? 0 : raw) & 0xff }
}

parentPort?.on('message', (job: SqliteJob) => {
  let answer: SqliteAnswer
  try {
    answer = { kind: 'rows', rows: work(job) }
  } catch (error) {
    answer = failureOf(error)
  }
  parentPort?.postMessage(answer)
})
