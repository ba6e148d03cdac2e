import type { Socket } from 'node:net'
import { createDeferred, isAbort, TargonError, withDeadline } from '../../../kernel/index.js'
import type { WorkerReport } from '../serving/index.js'
import { Life, type LifeOptions } from './life.js'
import type { StatePart } from './states.js'
import type { ToWorker } from './to-worker.js'

/** A worker that has run for so long did not exit because of its start. */
const STABLE_MS = 60_000
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000

/** A worker reports four times a second; one that is silent for so long hangs. */
const SILENT_MS = 60_000

/** Time for a worker to close everything before it is killed. */
const STOP_MS = 4000

export interface SlotOptions extends LifeOptions {
  readonly signal: AbortSignal
}

/** One worker: when its process exits, another one is started in its place. */
export class Slot {
  readonly #options: SlotOptions
  readonly #ready = createDeferred<void>()
  #life: Life | undefined
  #state: WorkerReport['state'] = 'starting'
  #restarts = 0
  /** Of the processes that have ended. */
  readonly #before = { requests: 0, cpuSeconds: 0 }
  #isStopping = false

  constructor(options: SlotOptions) {
    this.#options = options
    void this.#ready.promise.catch(() => {})
  }

  get id(): number {
    return this.#options.id
  }

  /** Resolves when the first process is ready; rejects when it exits before. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  get isReady(): boolean {
    return this.#state === 'ready'
  }

  get connections(): number {
    return this.#life?.connections ?? 0
  }

  /** Requests that may still be admitted; at least one until it knows that the miner drains. */
  pending(isDraining: boolean): number {
    return this.isReady ? (this.#life?.pending(isDraining) ?? 0) : 0
  }

  report(): WorkerReport {
    const life = this.#life
    return {
      id: this.id,
      pid: life?.pid ?? null,
      state: this.#state,
      restarts: this.#restarts,
      connections: this.connections,
      inFlight: life?.inFlight ?? 0,
      requests: this.#before.requests + (life?.requests ?? 0),
      cpuSeconds: this.#before.cpuSeconds + (life?.cpuSeconds ?? 0),
      memoryBytes: life?.memoryBytes ?? 0,
    }
  }

  /** Keeps a process running until the worker is stopped, the miner drains or the signal aborts. */
  async run(): Promise<void> {
    const { clock, signal, isDraining } = this.#options
    let quickExits = 0
    while (!this.#isStopping && !signal.aborted) {
      const startedAt = clock.monotonic()
      await this.#live()
      if (this.#isStopping || isDraining()) return
      quickExits = clock.monotonic() - startedAt >= STABLE_MS ? 0 : quickExits + 1
      try {
        await clock.sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** quickExits), signal)
      } catch (error) {
        if (isAbort(error)) return
        throw error
      }
      this.#restarts++
    }
  }

  /** One process from its start to its exit. */
  async #live(): Promise<void> {
    const { log, id } = this.#options
    this.#state = 'starting'
    const life: Life = new Life(this.#options, {
      onReady: () => {
        this.#state = 'ready'
        log.info({ event: 'worker-ready', worker: id, pid: life.pid }, 'a worker answers callers')
        this.#ready.resolve()
      },
      onExit: (how, cut) => this.#end(life, how, cut),
    })
    this.#life = life
    await life.exited
  }

  #end(life: Life, how: number | string, cut: number): void {
    const { log, id } = this.#options
    this.#before.requests += life.requests
    this.#before.cpuSeconds += life.cpuSeconds
    this.#life = undefined
    this.#state = 'waiting'
    if (this.#isStopping) return
    const next = 'Look for the cause in the lines before this one, or in the log of the system.'
    log.error({ event: 'worker-exited', worker: id, pid: life.pid, how, cut, next }, 'a worker exited')
    // Without effect once it was ready.
    this.#ready.reject(startError(id, how))
  }

  /** Passes a connection on to its process. @param onClosed called once it has closed */
  pass(socket: Socket, onClosed: () => void): void {
    if (this.#life !== undefined) return void this.#life.pass(socket, onClosed)
    socket.destroy()
    onClosed()
  }

  tell(message: ToWorker): void {
    if (this.isReady) this.#life?.tell(message)
  }

  /** Sends the parts that have changed. @returns why the worker could not apply them, once it has answered */
  push(parts: readonly StatePart[]): Promise<string | undefined> | undefined {
    return this.isReady ? this.#life?.push(parts) : undefined
  }

  /** Kills its process if it has been silent for too long. */
  checkAlive(): void {
    const { clock, log, id } = this.#options
    const life = this.#life
    if (life === undefined || clock.monotonic() - life.heardAt < SILENT_MS) return
    log.error({ event: 'worker-silent', worker: id, pid: life.pid }, 'a worker does not answer and is killed')
    life.heardAt = clock.monotonic()
    life.kill()
  }

  /** Ends its process, by force if it takes too long. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const life = this.#life
    if (life === undefined) return
    life.tell({ t: 'stop' })
    try {
      await withDeadline(this.#options.clock, 'Stopping a worker', STOP_MS, undefined, () => life.exited)
    } catch {
      life.kill()
      await life.exited
    }
  }
}

function startError(worker: number, how: number | string): TargonError {
  return new TargonError(`Worker ${worker} exited while it started: ${how}.`, {
    code: 'WORKER_START_FAILED',
    fault: 'runtime',
    next: 'Look for the cause in the log, or start with --workers 1.',
    facts: { worker },
  })
}
