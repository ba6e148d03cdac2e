import type { Socket } from 'node:net'
import { type Clock, createDeferred, type Deferred, type Log } from '../../../kernel/index.js'
import type { FrontEndParts } from '../serving/index.js'
import { Child } from './child.js'
import { recordEvent } from './record-event.js'
import { type StatePart, stateOf } from './states.js'
import type { ToPrimary } from './to-primary.js'
import type { ToWorker } from './to-worker.js'
import { WorkerPlaces, type WorkerPlacesOptions } from './worker-places.js'

export interface SessionOptions extends FrontEndParts, Pick<WorkerPlacesOptions, 'onFull'> {
  /** Number of the worker, from 1. */
  readonly id: number
  readonly clock: Clock
  readonly log: Log
  /** The first message to each process, and the parts of the state in it. */
  readonly start: () => { readonly message: ToWorker; readonly parts: readonly StatePart[] }
  /** Called when a signature check of this address has failed. */
  readonly onFailed: (address: string) => void
  /** Called after messages were handled: places may be free again. */
  readonly onHandled: () => void
}

export interface SessionEvents {
  readonly onReady: () => void
  /** Once. @param how exit status, signal, or why it could not be started. @param cut requests that it had in flight */
  readonly onExit: (how: number | string, cut: number) => void
}

/** The primary's side of one worker process, from its start to its exit, after which the places that it held are free again. */
export class WorkerSession {
  readonly #options: SessionOptions
  readonly #events: SessionEvents
  readonly #child: Child
  readonly #places: WorkerPlaces
  /** Open connections that were passed to it. */
  readonly #connections = new Map<number, () => void>()
  /** The parts of the state that were sent last. */
  readonly #sent: Map<string, string>
  readonly #acks = new Map<number, Deferred<string | undefined>>()
  #isToldToDrain = false
  #numbers = 0
  #pending = 0
  /** How often the supervisor has looked since the last message; pauses of our own process do not count. */
  silentLooks = 0
  requests = 0
  cpuSeconds = 0
  memoryBytes = 0

  constructor(options: SessionOptions, events: SessionEvents) {
    const { log, id, gate, router, onFull, start } = options
    this.#options = options
    this.#events = events
    this.#child = new Child({
      onMessages: (messages) => this.#handle(messages),
      onInvalid: () =>
        log.error(
          { event: 'worker-message-invalid', worker: id },
          'a worker sent an invalid message and is killed',
        ),
      onExit: (how) => this.#end(how),
    })
    this.#places = new WorkerPlaces({
      gate,
      sharedPlaces: router.sharedPlaces,
      tell: this.#child.tell,
      onFull,
    })
    const { message, parts } = start()
    this.#sent = new Map(parts.map(({ name, text }) => [name, text]))
    this.#child.tell(message)
  }

  get pid(): number | null {
    return this.#child.pid
  }

  get exited(): Promise<void> {
    return this.#child.exited
  }

  get connections(): number {
    return this.#connections.size
  }

  get inFlight(): number {
    return this.#places.inFlight
  }

  /** Requests that it is reading or verifying; at least 1 until it has confirmed that the miner drains. */
  pending(isDraining: boolean): number {
    const isTold = !isDraining || (this.#isToldToDrain && this.#acks.size === 0)
    return isTold ? this.#pending : Math.max(1, this.#pending)
  }

  tell(message: ToWorker): void {
    this.#child.tell(message)
  }

  kill(): void {
    this.#child.kill()
  }

  pass(socket: Socket, onClosed: () => void): void {
    const id = this.#numbers++
    this.#connections.set(id, onClosed)
    this.#child.pass(id, socket, () => this.#closed(id))
  }

  /** Sends the parts that have changed. @returns once it has answered, why it could not apply them */
  push(parts: readonly StatePart[]): Promise<string | undefined> | undefined {
    const changed = parts.filter(({ name, text }) => this.#sent.get(name) !== text)
    if (changed.length === 0) return undefined
    const id = this.#numbers++
    const ack = createDeferred<string | undefined>()
    this.#acks.set(id, ack)
    for (const { name, text } of changed) this.#sent.set(name, text)
    const state = stateOf(changed)
    if (state.isDraining) this.#isToldToDrain = true
    this.#child.tell({ t: 'state', id, state })
    return ack.promise
  }

  #end(how: number | string): void {
    const cut = this.#places.close()
    // The worker can no longer tell how they ended.
    for (let count = 0; count < cut; count++) this.#options.requests.ended('other', 'failed')
    for (const onClosed of this.#connections.values()) onClosed()
    this.#connections.clear()
    for (const ack of this.#acks.values()) ack.resolve('the worker exited')
    this.#events.onExit(how, cut)
    this.#options.onHandled()
  }

  #handle(messages: readonly ToPrimary[]): void {
    this.silentLooks = 0
    for (const message of messages) this.#answer(message)
    this.#options.onHandled()
  }

  #answer(message: ToPrimary): void {
    switch (message.t) {
      case 'admit':
        return void this.#watch(this.#places.admit(message))
      case 'release':
        return void this.#places.release(message)
      case 'reserve':
        return void this.#watch(this.#places.reserve(message))
      case 'settled':
        return void this.#places.settled(message)
      case 'settle':
        return void this.#places.settle(message)
      case 'closed':
        return void this.#closed(message.id)
      default:
        this.#note(message)
    }
  }

  #note(message: ToPrimary): void {
    const { router, registration, onFailed, id } = this.#options
    switch (message.t) {
      case 'failed':
        return void onFailed(message.address)
      case 'refresh':
        return void registration.refreshSoon()
      case 'report':
        this.#pending = message.pending
        this.cpuSeconds = message.cpuSeconds
        this.memoryBytes = message.memoryBytes
        for (const { url, ageMs } of message.alive) router.noteAlive(url, ageMs)
        return
      case 'applied':
        this.#pending = message.pending
        this.#acks.get(message.id)?.resolve(message.error)
        this.#acks.delete(message.id)
        return
      case 'ready':
        return void this.#events.onReady()
      case 'admitted':
        this.requests++
    }
    recordEvent(this.#options, id, message)
  }

  #closed(id: number): void {
    const onClosed = this.#connections.get(id)
    this.#connections.delete(id)
    onClosed?.()
  }

  #watch(work: Promise<void>): void {
    const { log, id } = this.#options
    work.catch((error: unknown) =>
      log.error({ event: 'request-failed', worker: id, err: error }, 'request failed with an internal error'),
    )
  }
}
