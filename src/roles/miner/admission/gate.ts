import { type ReplayGuard, refuse, type SignedRequestId } from '../../../epistula/index.js'
import type { RequestQueue, Waiter } from '../../../routing/index.js'
import { type PlaceClaim, type PlaceLimits, Places, type Release } from './places.js'
import { type AdmissionRefusal, TOO_MANY_REQUESTS } from './refusals.js'

/** A place, or why there is none: a refusal, or `left` when the caller disconnected while it waited. */
export type PlaceTaken = Release | AdmissionRefusal | 'left'

/** The gate's decision on a verified request. */
export type Entry =
  | { readonly kind: 'refused'; readonly refusal: AdmissionRefusal }
  | {
      readonly kind: 'fresh'
      /** Takes a place, after a while in the queue if there is none. Call it once. @param waiter ends the wait when it closes */
      take(waiter: Waiter | undefined): PlaceTaken | Promise<PlaceTaken>
    }

/**
 * Decides what one process must decide for all: whether a request was received before, and whether its caller gets a place.
 * The replay guard remembers a request as soon as it has found it fresh.
 */
export interface Gate {
  /** Requests that have a place. */
  readonly inFlight: number
  /** Requests that wait for one. */
  readonly waiting: number
  inFlightOf(hotkey: string): number
  /** A request of this caller would get a place, or a place in the queue. */
  hasRoom(claim: PlaceClaim): boolean
  enter(request: SignedRequestId, claim: PlaceClaim): Entry | Promise<Entry>
}

export interface GateOptions extends PlaceLimits {
  readonly replays: ReplayGuard
  /** Where requests wait for a place; without it they are refused at once. */
  readonly queue?: { readonly requests: RequestQueue<Release>; readonly length: number }
}

/** A gate that decides in this process. */
export function createGate({ replays, queue, ...limits }: GateOptions): Gate {
  const places = new Places(limits, queue)
  const take = (claim: PlaceClaim, waiter: Waiter | undefined): PlaceTaken | Promise<PlaceTaken> => {
    const taken = places.take(claim, waiter)
    return taken instanceof Promise ? taken.then(describe) : describe(taken)
  }
  return {
    get inFlight() {
      return places.inFlight
    },
    get waiting() {
      return places.waiting
    },
    inFlightOf: (hotkey) => places.inFlightOf(hotkey),
    hasRoom: (claim) => places.hasRoom(claim),
    enter: async (request, claim) => {
      const verdict = await replays.admit(request)
      if (verdict !== 'fresh') return { kind: 'refused', refusal: refuse(verdict) }
      return { kind: 'fresh', take: (waiter) => take(claim, waiter) }
    },
  }
}

function describe(taken: Release | 'full' | 'left'): PlaceTaken {
  return taken === 'full' ? TOO_MANY_REQUESTS : taken
}
