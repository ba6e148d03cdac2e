import type { Worker } from 'node:worker_threads'
import { createDeferred, type Deferred, startWorkerThread } from '../kernel/index.js'
import { SqliteError } from './sqlite-error.js'

/** What SQLite stores and returns. */
export type SqliteValue = string | number | null
export type SqliteRow = Readonly<Record<string, SqliteValue>>

export interface Statement {
  readonly sql: string
  readonly parameters: readonly SqliteValue[]
}

/** One statement, run once per list of parameters. */
export interface Insertion {
  readonly sql: string
  readonly rows: readonly (readonly SqliteValue[])[]
}

/** Work for the thread that has the database open. */
export type SqliteJob =
  | { readonly kind: 'open'; readonly path: string; readonly isReadOnly: boolean }
  | { readonly kind: 'all'; readonly statement: Statement }
  /** All insertions in one transaction. */
  | { readonly kind: 'write'; readonly insertions: readonly Insertion[] }
  | { readonly kind: 'close' }

export type SqliteAnswer =
  | { readonly kind: 'rows'; readonly rows: readonly SqliteRow[] }
  | { readonly kind: 'error'; readonly message: string; readonly resultCode: number }

/**
 * SQLite on a thread of its own: its calls block, for as long as the disk takes, and answers are timed on the main thread.
 * Jobs are done one after the other in their order. The thread keeps the process alive only while a job waits.
 */
export class SqliteThread {
  readonly #worker: Worker
  readonly #waiting: Deferred<readonly SqliteRow[]>[] = []
  #failure: Error | undefined

  constructor() {
    this.#worker = startWorkerThread(new URL('./sqlite-worker', import.meta.url))
    this.#worker.on('message', (answer: SqliteAnswer) => this.#settle(answer))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('the thread of the database has ended')))
  }

  /** @throws SqliteError; Error when the thread has ended */
  async do(job: SqliteJob): Promise<readonly SqliteRow[]> {
    if (this.#failure) throw this.#failure
    const answer = createDeferred<readonly SqliteRow[]>()
    this.#waiting.push(answer)
    this.#worker.ref()
    this.#worker.postMessage(job)
    return answer.promise
  }

  /** Closes the database after the jobs before, and ends the thread. */
  async close(): Promise<void> {
    if (this.#failure === undefined) await this.do({ kind: 'close' }).catch(() => {})
    await this.#worker.terminate()
  }

  #settle(answer: SqliteAnswer): void {
    const first = this.#waiting.shift()
    if (this.#waiting.length === 0) this.#worker.unref()
    if (answer.kind === 'rows') first?.resolve(answer.rows)
    else first?.reject(new SqliteError(answer.message, answer.resultCode))
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const answer of this.#waiting.splice(0)) answer.reject(this.#failure)
  }
}
