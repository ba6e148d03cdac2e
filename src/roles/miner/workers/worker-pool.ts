import type { Socket } from 'node:net'
import type { MinerSettings } from '../../../config/index.js'
import { every, messageOf, withDeadline } from '../../../kernel/index.js'
import { createRequestPolicy } from '../../../routing/index.js'
import type { PlaceClaim } from '../admission/index.js'
import type { FrontEnd, FrontEndContext, FrontEndParts, WorkerReport } from '../serving/index.js'
import { acceptPublicly } from './acceptor.js'
import { createStates, type States, stateOf } from './states.js'
import { workerSettings } from './to-worker.js'
import { WorkerSupervisor } from './worker-supervisor.js'

/** How often the primary looks for changes of the state and for workers that hang. */
const PUSH_MS = 100

/** Time for all workers to become ready. */
const START_MS = 60_000

/** Time for one worker to apply new settings. */
const APPLY_MS = 5000

/**
 * Answers callers in `count` worker processes. This process, the primary, accepts their connections and has what one process must
 * decide or count: the replay guard, the places and the metrics.
 *
 * @throws TargonError WORKER_START_FAILED (fault runtime), and what `acceptPublicly` throws.
 */
export async function openWorkers(
  context: FrontEndContext,
  parts: FrontEndParts,
  count: number,
): Promise<FrontEnd> {
  const { settings, clock, log, cleanup, signal, isTrustedProxy } = context
  const pool = new WorkerPool(context, parts, count)
  cleanup.add('workers', () => pool.stop())
  await pool.start()
  const acceptor = await acceptPublicly({
    ...{ clock, log, signal, isTrustedProxy },
    ...{ host: settings['axon.ip'], port: settings['axon.port'] },
    pass: (socket, onClosed) => pool.pass(socket, onClosed),
  })
  cleanup.add('public server', () => acceptor.close())
  return {
    address: acceptor.address,
    port: acceptor.port,
    get pending() {
      return pool.pending
    },
    reload: (next) => pool.reload(next),
    startDraining: () => pool.push(),
    workers: () => pool.reports(),
    unavailableReason: () => (pool.isReady ? undefined : 'no worker runs'),
  }
}

class WorkerPool {
  readonly #context: FrontEndContext
  readonly #parts: FrontEndParts
  readonly #states: States
  readonly #workers: readonly WorkerSupervisor[]
  /** Callers that would get no place now: workers refuse their requests before they read the body. */
  readonly #full = new Map<string, PlaceClaim>()
  /** Rotates the order in which workers with equally many connections get the next one. */
  #turn = 0
  /** Workers apply new settings one after the other; nothing else is pushed meanwhile. */
  #isReloading = false

  constructor(context: FrontEndContext, parts: FrontEndParts, count: number) {
    this.#context = context
    this.#parts = parts
    this.#states = createStates(parts, context.settings['request-policy'])
    const { clock, log, signal } = context
    const ids = Array.from({ length: count }, (_, index) => index + 1)
    this.#workers = ids.map(
      (id) =>
        new WorkerSupervisor({
          ...{ ...parts, id, clock, log, signal },
          start: () => this.#startMessage(),
          onFull: (claim) => this.#setFull(claim),
          onFailed: (address) => this.#noteFailure(address, id),
          onHandled: () => this.#announceRoom(),
        }),
    )
  }

  #startMessage() {
    const { settings, self, log } = this.#context
    const parts = this.#states.read()
    const state = stateOf(parts)
    const isDebug = log.isLevelEnabled('debug')
    return {
      message: { t: 'start' as const, self, isDebug, settings: workerSettings(settings), state },
      parts,
    }
  }

  get isReady(): boolean {
    return this.#workers.some((worker) => worker.isReady)
  }

  /** Requests that may still be admitted. */
  get pending(): number {
    const isDraining = this.#parts.isDraining()
    return this.#workers.reduce((sum, worker) => sum + worker.pending(isDraining), this.#parts.gate.waiting)
  }

  reports(): WorkerReport[] {
    return this.#workers.map((worker) => worker.report())
  }

  /** Resolves when all workers are ready. */
  async start(): Promise<void> {
    const { clock, log, signal } = this.#context
    for (const worker of this.#workers)
      worker
        .run()
        .catch((error: unknown) =>
          log.error({ event: 'worker-not-restarted', err: error }, 'a worker cannot be started again'),
        )
    await withDeadline(clock, 'Starting the workers', START_MS, signal, async () => {
      await Promise.all(this.#workers.map((worker) => worker.ready))
    })
    const look = async () => {
      if (!this.#isReloading) this.push()
      this.#announceRoom()
      for (const worker of this.#workers) worker.checkAlive()
    }
    void every(clock, PUSH_MS, signal, look, (error) =>
      log.error({ event: 'worker-state-failed', err: error }, 'could not send the workers what has changed'),
    )
  }

  /** Passes a connection to the worker that has the fewest, of those that respond if any does. @returns false when none is ready */
  pass(socket: Socket, onClosed: () => void): boolean {
    let best: WorkerSupervisor | undefined
    this.#turn++
    const isAnyResponsive = this.#workers.some((worker) => worker.responds)
    for (let step = 0; step < this.#workers.length; step++) {
      const worker = this.#workers[(this.#turn + step) % this.#workers.length]
      const isCandidate = isAnyResponsive ? worker?.responds : worker?.isReady
      if (worker && isCandidate && (best === undefined || worker.connections < best.connections))
        best = worker
    }
    best?.pass(socket, onClosed)
    return best !== undefined
  }

  /** Sends what has changed to all workers at once. */
  push(): void {
    const parts = this.#states.read()
    for (const worker of this.#workers)
      void worker.push(parts)?.then((reason) => {
        if (reason !== undefined) this.#warnNotApplied(worker, reason)
      })
  }

  #warnNotApplied({ id: worker }: WorkerSupervisor, reason: string): void {
    this.#context.log.warn(
      { event: 'worker-reload-failed', worker, reason },
      'a worker could not apply what has changed',
    )
  }

  /** Applies a new request policy in one worker after the other. @throws when the policy is invalid */
  async reload(settings: MinerSettings): Promise<void> {
    const { clock, signal } = this.#context
    createRequestPolicy(settings['request-policy'])
    this.#states.setPolicy(settings['request-policy'])
    this.#isReloading = true
    for (const worker of this.#workers) {
      const applied = worker.push(this.#states.read())
      const apply = async () => applied
      const reason = await withDeadline(clock, 'Reloading a worker', APPLY_MS, signal, apply).catch(messageOf)
      if (reason !== undefined) this.#warnNotApplied(worker, reason)
    }
    this.#isReloading = false
  }

  #setFull(claim: PlaceClaim): void {
    if (this.#full.has(claim.hotkey) || this.#parts.gate.hasRoom(claim)) return
    this.#full.set(claim.hotkey, claim)
    for (const worker of this.#workers) worker.tell({ t: 'room', hotkey: claim.hotkey, hasRoom: false })
  }

  /** Tells the workers which callers can get a place again. */
  #announceRoom(): void {
    for (const [hotkey, claim] of this.#full) {
      if (!this.#parts.gate.hasRoom(claim)) continue
      this.#full.delete(hotkey)
      for (const worker of this.#workers) worker.tell({ t: 'room', hotkey, hasRoom: true })
    }
  }

  #noteFailure(address: string, by: number): void {
    for (const worker of this.#workers) if (worker.id !== by) worker.tell({ t: 'failed', address })
  }

  /** Ends all workers. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()))
  }
}
