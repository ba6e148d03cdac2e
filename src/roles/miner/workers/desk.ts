import { EventEmitter } from 'node:events'
import type { LentPlace, NoPlace, PlaceLender, Waiter } from '../../../routing/index.js'
import {
  type Gate,
  type PlaceClaim,
  type PlaceTaken,
  type Release,
  TOO_MANY_REQUESTS,
} from '../admission/index.js'
import type { ToPrimary } from './to-primary.js'
import type { ToWorker } from './to-worker.js'

export interface DeskOptions {
  readonly gate: Gate
  readonly lender: PlaceLender
  readonly tell: (message: ToWorker) => void
  /** A request of this caller got no place. */
  readonly onFull: (claim: PlaceClaim) => void
}

/** Why a gate refuses a request, besides that its guard is full or cannot be reached. */
const REPLAYS = ['REPLAYED', 'BEFORE_START'] as const

type Question<T extends ToPrimary['t']> = Extract<ToPrimary, { t: T }>

/** Answers the questions of one worker, and remembers what it holds, so that all of it is free again when the worker exits. */
export class Desk {
  readonly #options: DeskOptions
  readonly #entries = new Map<number, Held<Release>>()
  readonly #loans = new Map<number, Held<LentPlace>>()

  constructor(options: DeskOptions) {
    this.#options = options
  }

  /** Requests of the worker that have a place. */
  get inFlight(): number {
    let count = 0
    for (const { value } of this.#entries.values()) if (value !== undefined) count++
    return count
  }

  async admit({ id, hotkey, uuid, timestampMs, hasPermit }: Question<'admit'>): Promise<void> {
    const { gate, tell } = this.#options
    const claim = { hotkey, hasPermit }
    const held = new Held<Release>()
    this.#entries.set(id, held)
    const entry = await gate.enter({ signedBy: hotkey, uuid, timestampMs }, claim)
    if (entry.kind === 'refused') {
      this.#entries.delete(id)
      const { code } = entry.refusal
      return tell({ t: 'verdict', id, verdict: REPLAYS.find((one) => one === code) ?? 'REPLAY_GUARD_FULL' })
    }
    if (held.destroyed) return
    const taken = entry.take(held)
    if (!(taken instanceof Promise)) {
      const isGranted = this.#keep(id, held, claim, taken)
      return tell({ t: 'verdict', id, verdict: isGranted ? 'granted' : 'full' })
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
    this.#entries.delete(id)
    if (taken === TOO_MANY_REQUESTS) this.#options.onFull(claim)
    return false
  }

  release({ id }: Question<'release'>): void {
    const held = this.#entries.get(id)
    this.#entries.delete(id)
    held?.leave()
    held?.value?.()
  }

  async reserve({ id, model, tried }: Question<'reserve'>): Promise<void> {
    const { lender, tell } = this.#options
    const held = new Held<LentPlace>()
    this.#loans.set(id, held)
    const taken = lender.take(model, held, tried)
    const lent: LentPlace | NoPlace = taken instanceof Promise ? await taken : taken
    if (typeof lent === 'string') {
      this.#loans.delete(id)
      if (!held.destroyed) tell({ t: 'unlent', id, reason: lent })
    } else if (held.destroyed) lent.settle({ kind: 'caller-left' })
    else {
      held.value = lent
      tell({ t: 'lent', id, url: lent.url })
    }
  }

  settle({ id, end }: Question<'settle'>): void {
    const held = this.#loans.get(id)
    this.#loans.delete(id)
    held?.leave()
    held?.value?.settle(end)
  }

  /** The worker has exited. @returns how many requests it had in flight */
  close(): number {
    const count = this.inFlight
    for (const id of [...this.#loans.keys()]) this.settle({ t: 'settle', id, end: { kind: 'caller-left' } })
    for (const id of [...this.#entries.keys()]) this.release({ t: 'release', id })
    return count
  }
}

/** What a worker holds or waits for; the wait ends when the worker says so or exits. */
class Held<Value> extends EventEmitter implements Waiter {
  destroyed = false
  value: Value | undefined

  leave(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.emit('close')
  }
}
