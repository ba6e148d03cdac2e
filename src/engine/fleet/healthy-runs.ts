import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { type Log, parseJson, readIfExists, replaceFile } from '../../kernel/index.js'

/** Enough for every container of a host, and for those it has replaced lately. */
const KEPT = 100
const schema = z.array(z.string())

/**
 * Which runs of containers have been healthy: one that was is no longer loading, so it gets less time to respond. Kept in a
 * file, so that this is known of containers that a restarted validator adopts. Without the file they get the time of a start.
 */
export class HealthyRuns {
  #runs: string[] | undefined
  #saved: Promise<void> = Promise.resolve()

  constructor(
    private readonly path: string,
    private readonly log: Log,
  ) {}

  /** @param startedAt when the run began: a container that was started again loads its model again. */
  async has(id: string, startedAt: string | undefined): Promise<boolean> {
    return (await this.#load()).includes(runOf(id, startedAt))
  }

  async add(id: string, startedAt: string | undefined): Promise<void> {
    const runs = await this.#load()
    const run = runOf(id, startedAt)
    if (runs.includes(run)) return
    runs.push(run)
    if (runs.length > KEPT) runs.splice(0, runs.length - KEPT)
    this.#saved = this.#saved.then(() => this.#save(runs))
    await this.#saved
  }

  async #load(): Promise<string[]> {
    if (this.#runs) return this.#runs
    const text = await readIfExists(this.path).catch(() => undefined)
    const parsed = schema.safeParse(text === undefined ? undefined : parseJson(text))
    this.#runs ??= parsed.data ?? []
    return this.#runs
  }

  async #save(runs: readonly string[]): Promise<void> {
    try {
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 })
      await replaceFile(this.path, JSON.stringify(runs))
    } catch (error) {
      this.log.warn(
        { event: 'engine-runs-unsaved', err: error },
        'could not save which engines have been healthy; after a restart they get the time of a start',
      )
    }
  }
}

function runOf(id: string, startedAt: string | undefined): string {
  return `${id} ${startedAt ?? ''}`
}
