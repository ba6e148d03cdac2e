import type { Socket } from 'node:net'
import { createDeferred, isAbort, messageOf, TargonError, withDeadline } from '../../../kernel/index.js'
import type { WorkerReport } from '../serving/index.js'
import type { StatePart } from './states.js'
import type { ToWorker } from './to-worker.js'
import { type SessionOptions, WorkerSession } from './worker-session.js'

/** After a process that ran for so long, the pause before the next one is short again. */
const STABLE_MS = 60_000
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000

/**
 * A worker reports four times a second. After so many looks, ten a second, without a message it gets no new connections while
 * others respond, and later it is killed.
 */
const SILENT_LOOKS = 30
const HUNG_LOOKS = 600

/** Time for a worker to close everything before it is killed. */
const STOP_MS = 4000

export interface SupervisorOptions extends SessionOptions {
  readonly signal: AbortSignal
}

/** Runs one worker: when its process exits, it starts a new one. */
export class WorkerSupervisor {
  readonly #options: SupervisorOptions
  readonly #ready = createDeferred<void>()
  #session: WorkerSession | undefined
  #state: WorkerReport['state'] = 'starting'
  #restarts = 0
  /** Counts of the processes that have ended. */
  readonly #ended = { requests: 0, cpuSeconds: 0 }
  #isStopping = false

  constructor(options: SupervisorOptions) {
    this.#options = options
    void this.#ready.promise.catch(() => {})
  }

  get id(): number {
    return this.#options.id
  }

  /** Resolves when the first process is ready; rejects if that exits first. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  get isReady(): boolean {
    return this.#state === 'ready'
  }

  /** It is ready and has sent something in the last seconds. */
  get responds(): boolean {
    return this.isReady && (this.#session?.silentLooks ?? 0) < SILENT_LOOKS
  }

  get connections(): number {
    return this.#session?.connections ?? 0
  }

  /** Requests that may still be admitted; at least 1 until the worker has confirmed that the miner drains. */
  pending(isDraining: boolean): number {
    return this.isReady ? (this.#session?.pending(isDraining) ?? 0) : 0
  }

  report(): WorkerReport {
    const session = this.#session
    return {
      id: this.id,
      pid: session?.pid ?? null,
      state: this.isReady && !this.responds ? 'silent' : this.#state,
      restarts: this.#restarts,
      connections: this.connections,
      inFlight: session?.inFlight ?? 0,
      requests: this.#ended.requests + (session?.requests ?? 0),
      cpuSeconds: this.#ended.cpuSeconds + (session?.cpuSeconds ?? 0),
      memoryBytes: session?.memoryBytes ?? 0,
    }
  }

  /** Keeps a process running until the worker is stopped, the miner drains or the signal aborts. */
  async run(): Promise<void> {
    const { clock, signal, isDraining } = this.#options
    let quickExits = 0
    while (!this.#isStopping && !signal.aborted) {
      const startedAt = clock.monotonic()
      await this.#runSession()
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
  async #runSession(): Promise<void> {
    const { log, id } = this.#options
    this.#state = 'starting'
    try {
      const session: WorkerSession = new WorkerSession(this.#options, {
        onReady: () => {
          this.#state = 'ready'
          log.info({ event: 'worker-ready', worker: id, pid: session.pid }, 'a worker answers callers')
          this.#ready.resolve()
        },
        onExit: (how, cut) => this.#end(session, how, cut),
      })
      this.#session = session
      await session.exited
    } catch (error) {
      // The system has no memory for another process, for example.
      this.#noteExit(null, messageOf(error), 0)
    }
  }

  #end(session: WorkerSession, how: number | string, cut: number): void {
    this.#ended.requests += session.requests
    this.#ended.cpuSeconds += session.cpuSeconds
    this.#session = undefined
    this.#noteExit(session.pid, how, cut)
  }

  #noteExit(pid: number | null, how: number | string, cut: number): void {
    const { log, id } = this.#options
    this.#state = 'waiting'
    if (this.#isStopping) return
    const next = 'Look for the cause in the lines before this one, or in the system log.'
    log.error({ event: 'worker-exited', worker: id, pid, how, cut, next }, 'a worker exited')
    // Has no effect once the worker was ready.
    this.#ready.reject(startError(id, how))
  }

  /** Passes a connection on to its process. @param onClosed called once it has closed */
  pass(socket: Socket, onClosed: () => void): void {
    if (this.#session !== undefined) return void this.#session.pass(socket, onClosed)
    socket.destroy()
    onClosed()
  }

  tell(message: ToWorker): void {
    if (this.isReady) this.#session?.tell(message)
  }

  /** Sends the parts that have changed. @returns once the worker has answered, why it could not apply them */
  push(parts: readonly StatePart[]): Promise<string | undefined> | undefined {
    return this.isReady ? this.#session?.push(parts) : undefined
  }

  /** Counts that the process has sent nothing since the last look, and kills it after too many. */
  checkAlive(): void {
    const { log, id } = this.#options
    const session = this.#session
    if (session === undefined || ++session.silentLooks < HUNG_LOOKS) return
    log.error(
      { event: 'worker-silent', worker: id, pid: session.pid },
      'a worker does not answer and is killed',
    )
    session.silentLooks = 0
    session.kill()
  }

  /** Ends the process, by force if it takes too long. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const session = this.#session
    if (session === undefined) return
    session.tell({ t: 'stop' })
    try {
      await withDeadline(this.#options.clock, 'Stopping a worker', STOP_MS, undefined, () => session.exited)
    } catch {
      session.kill()
      await session.exited
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
