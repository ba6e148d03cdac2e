import type { Socket } from 'node:net'
import type { MinerSettings } from '../../../config/index.js'
import { every, messageOf, withDeadline } from '../../../kernel/index.js'
import { createRequestPolicy } from '../../../routing/index.js'
import type { PlaceClaim } from '../admission/index.js'
import type { Front, FrontContext, FrontParts, WorkerReport } from '../serving/index.js'
import { acceptPublicly } from './acceptor.js'
import { Slot } from './slot.js'
import { createStates, type States, stateOf } from './states.js'
import { workerSettings } from './to-worker.js'

/** How often changes of the state are looked for. */
const PUSH_MS = 100

/** Time for all workers to become ready. */
const START_MS = 60_000

/** Time for one worker to apply new settings. */
const APPLY_MS = 5000

/**
 * Answers callers in `count` processes. This one accepts their connections and decides what only one process can decide: it
 * has the replay guard, all places and the counts.
 *
 * @throws TargonError WORKER_START_FAILED (fault runtime), and what `acceptPublicly` throws.
 */
export async function openWorkers(context: FrontContext, parts: FrontParts, count: number): Promise<Front> {
  const { settings, clock, log, cleanup, signal, isTrustedProxy } = context
  const crew = new Crew(context, parts, count)
  cleanup.add('workers', () => crew.stop())
  await crew.start()
  const acceptor = await acceptPublicly({
    ...{ clock, log, signal, isTrustedProxy },
    ...{ host: settings['axon.ip'], port: settings['axon.port'] },
    pass: (socket, onClosed) => crew.pass(socket, onClosed),
  })
  cleanup.add('public server', () => acceptor.close())
  return {
    address: acceptor.address,
    port: acceptor.port,
    get pending() {
      return crew.pending
    },
    reload: (next) => crew.reload(next),
    startDraining: () => crew.push(),
    workers: () => crew.reports(),
    unavailableReason: () => (crew.isReady ? undefined : 'no worker runs'),
  }
}

class Crew {
  readonly #context: FrontContext
  readonly #parts: FrontParts
  readonly #states: States
  readonly #slots: readonly Slot[]
  /** Callers whose requests get no place now: workers refuse them before they read the body. */
  readonly #full = new Map<string, PlaceClaim>()
  /** Workers in the order in which they get connections, if they have equally many. */
  #turn = 0
  /** Workers take over new settings one after the other. */
  #isReloading = false

  constructor(context: FrontContext, parts: FrontParts, count: number) {
    this.#context = context
    this.#parts = parts
    this.#states = createStates(parts, context.settings['request-policy'])
    const { clock, log, signal } = context
    const ids = Array.from({ length: count }, (_, index) => index + 1)
    this.#slots = ids.map(
      (id) =>
        new Slot({
          ...{ ...parts, id, clock, log, signal },
          start: () => this.#first(),
          onFull: (claim) => this.#setFull(claim),
          onFailed: (address) => this.#noteFailure(address, id),
          onHandled: () => this.#tellRoom(),
        }),
    )
  }

  #first() {
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
    return this.#slots.some((slot) => slot.isReady)
  }

  /** Requests that may still be admitted. */
  get pending(): number {
    const isDraining = this.#parts.isDraining()
    return this.#slots.reduce((sum, slot) => sum + slot.pending(isDraining), this.#parts.gate.waiting)
  }

  reports(): WorkerReport[] {
    return this.#slots.map((slot) => slot.report())
  }

  /** Resolves when all workers are ready. */
  async start(): Promise<void> {
    const { clock, log, signal } = this.#context
    for (const slot of this.#slots)
      slot
        .run()
        .catch((error: unknown) =>
          log.error({ event: 'worker-not-restarted', err: error }, 'a worker cannot be started again'),
        )
    await withDeadline(clock, 'Starting the workers', START_MS, signal, async () => {
      await Promise.all(this.#slots.map((slot) => slot.ready))
    })
    const look = async () => {
      if (!this.#isReloading) this.push()
      this.#tellRoom()
      for (const slot of this.#slots) slot.checkAlive()
    }
    void every(clock, PUSH_MS, signal, look, (error) =>
      log.error({ event: 'worker-state-failed', err: error }, 'could not tell the workers what has changed'),
    )
  }

  /** Passes a connection to the worker that has the fewest. @returns false when none is ready */
  pass(socket: Socket, onClosed: () => void): boolean {
    let best: Slot | undefined
    this.#turn++
    for (let step = 0; step < this.#slots.length; step++) {
      const slot = this.#slots[(this.#turn + step) % this.#slots.length]
      if (slot?.isReady && (best === undefined || slot.connections < best.connections)) best = slot
    }
    best?.pass(socket, onClosed)
    return best !== undefined
  }

  /** Tells all workers at once what has changed. */
  push(): void {
    const parts = this.#states.read()
    for (const slot of this.#slots)
      void slot.push(parts)?.then((reason) => {
        if (reason !== undefined) this.#warn(slot, reason)
      })
  }

  #warn({ id: worker }: Slot, reason: string): void {
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
    for (const slot of this.#slots) {
      const applied = slot.push(this.#states.read())
      const apply = async () => applied
      const reason = await withDeadline(clock, 'Reloading a worker', APPLY_MS, signal, apply).catch(messageOf)
      if (reason !== undefined) this.#warn(slot, reason)
    }
    this.#isReloading = false
  }

  #setFull(claim: PlaceClaim): void {
    if (this.#full.has(claim.hotkey) || this.#parts.gate.hasRoom(claim)) return
    this.#full.set(claim.hotkey, claim)
    for (const slot of this.#slots) slot.tell({ t: 'room', hotkey: claim.hotkey, hasRoom: false })
  }

  #tellRoom(): void {
    for (const [hotkey, claim] of this.#full) {
      if (!this.#parts.gate.hasRoom(claim)) continue
      this.#full.delete(hotkey)
      for (const slot of this.#slots) slot.tell({ t: 'room', hotkey, hasRoom: true })
    }
  }

  #noteFailure(address: string, by: number): void {
    for (const slot of this.#slots) if (slot.id !== by) slot.tell({ t: 'failed', address })
  }

  /** Ends all workers. */
  async stop(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.stop()))
  }
}
