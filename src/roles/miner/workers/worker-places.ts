import { EventEmitter } from 'node:events'
import type { NoPlace, SharedPlace, SharedPlaces, Waiter } from '../../../routing/index.js'
import {
  type Gate,
  type PlaceClaim,
  type PlaceTaken,
  type Release,
  TOO_MANY_REQUESTS,
} from '../admission/index.js'
import type { ToPrimary } from './to-primary.js'
import type { ToWorker } from './to-worker.js'

export interface WorkerPlacesOptions {
  readonly gate: Gate
  readonly sharedPlaces: SharedPlaces
  readonly tell: (message: ToWorker) => void
  /** Called when a request of this caller gets no place. */
  readonly onFull: (claim: PlaceClaim) => void
}

/** Why the replay guard refuses a request, except that it is full or cannot be reached. */
const REPLAYS = ['REPLAYED', 'BEFORE_START'] as const

type Question<T extends ToPrimary['t']> = Extract<ToPrimary, { t: T }>

/** Answers the questions of one worker process, and keeps the places that it holds, so that they are free again when it exits. */
export class WorkerPlaces {
  readonly #options: WorkerPlacesOptions
  readonly #requestPlaces = new Map<number, Held<Release>>()
  readonly #serverPlaces = new Map<number, Held<SharedPlace>>()

  constructor(options: WorkerPlacesOptions) {
    this.#options = options
  }

  /** Requests of the worker that have a place. */
  get inFlight(): number {
    let count = 0
    for (const { value } of this.#requestPlaces.values()) if (value !== undefined) count++
    return count
  }

  async admit({ id, hotkey, uuid, timestampMs, hasPermit, model }: Question<'admit'>): Promise<void> {
    const { gate, tell } = this.#options
    const claim = { hotkey, hasPermit }
    const held = new Held<Release>()
    this.#requestPlaces.set(id, held)
    const entry = await gate.enter({ signedBy: hotkey, uuid, timestampMs }, claim)
    if (entry.kind === 'refused') {
      this.#requestPlaces.delete(id)
      const { code } = entry.refusal
      return tell({ t: 'verdict', id, verdict: REPLAYS.find((one) => one === code) ?? 'REPLAY_GUARD_FULL' })
    }
    if (held.destroyed) return
    const taken = entry.take(held)
    if (!(taken instanceof Promise)) {
      if (!this.#keep(id, held, claim, taken)) return tell({ t: 'verdict', id, verdict: 'full' })
      // Most requests name their model in a header, and need no second question.
      held.server = model === undefined ? undefined : this.#options.sharedPlaces.tryTake(model)
      return tell({ t: 'verdict', id, verdict: 'granted', url: held.server?.url })
    }
    tell({ t: 'verdict', id, verdict: 'waiting' })
    const isGranted = this.#keep(id, held, claim, await taken)
    if (!held.destroyed) tell({ t: 'place', id, isGranted })
  }

  #keep(id: number, held: Held<Release>, claim: PlaceClaim, taken: PlaceTaken): boolean {
    if (typeof taken === 'function') {
      if (held.destroyed) taken()
      else held.value = taken
      return true
    }
    this.#requestPlaces.delete(id)
    if (taken === TOO_MANY_REQUESTS) this.#options.onFull(claim)
    return false
  }

  release({ id }: Question<'release'>): void {
    const held = this.#requestPlaces.get(id)
    this.#requestPlaces.delete(id)
    held?.leave()
    // Without effect once the attempt has ended.
    held?.server?.settle({ kind: 'caller-left' })
    held?.value?.()
  }

  settled({ id, end }: Question<'settled'>): void {
    this.#requestPlaces.get(id)?.server?.settle(end)
  }

  async reserve({ id, model, tried }: Question<'reserve'>): Promise<void> {
    const { sharedPlaces, tell } = this.#options
    const held = new Held<SharedPlace>()
    this.#serverPlaces.set(id, held)
    const taken = sharedPlaces.take(model, held, tried)
    const place: SharedPlace | NoPlace = taken instanceof Promise ? await taken : taken
    if (typeof place === 'string') {
      this.#serverPlaces.delete(id)
      if (!held.destroyed) tell({ t: 'not-reserved', id, reason: place })
    } else if (held.destroyed) place.settle({ kind: 'caller-left' })
    else {
      held.value = place
      tell({ t: 'reserved', id, url: place.url })
    }
  }

  settle({ id, end }: Question<'settle'>): void {
    const held = this.#serverPlaces.get(id)
    this.#serverPlaces.delete(id)
    held?.leave()
    held?.value?.settle(end)
  }

  /** The worker has exited. @returns how many requests it had in flight */
  close(): number {
    const count = this.inFlight
    for (const id of [...this.#serverPlaces.keys()])
      this.settle({ t: 'settle', id, end: { kind: 'caller-left' } })
    for (const id of [...this.#requestPlaces.keys()]) this.release({ t: 'release', id })
    return count
  }
}

/** What a worker holds or waits for; the wait ends when the worker says so or exits. */
class Held<Value> extends EventEmitter implements Waiter {
  destroyed = false
  value: Value | undefined
  /** A place at a model server that came with the verdict. */
  server: SharedPlace | undefined

  leave(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.emit('close')
  }
}
