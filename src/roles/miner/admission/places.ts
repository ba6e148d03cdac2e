import type { RequestQueue, Waiter } from '../../../routing/index.js'

/** Gives a place back; further calls do nothing. */
export type Release = () => void

export interface PlaceLimits {
  readonly maxInFlight: number
  /** Of a caller without a validator permit. */
  readonly maxInFlightPerSigner: number
  /** Of a caller with one, such as the hotkey with which a hub signs the requests of all its users. */
  readonly maxInFlightPerValidator: number
}

/** Who asks for a place. */
export interface PlaceClaim {
  readonly hotkey: string
  readonly hasPermit: boolean
  /** What the request asks for, if it says so before its body. */
  readonly model?: string
}

/** Requests in flight, per signer and in total, and the queue of those that wait for one to end. */
export class Places {
  readonly #limits: PlaceLimits
  readonly #queue: RequestQueue<Release> | undefined
  /** Requests of one signer that may wait at once: a single one cannot fill the queue. */
  readonly #maxWaiting: number
  readonly #inFlightByHotkey = new Map<string, number>()
  readonly #waitingByHotkey = new Map<string, number>()
  #inFlight = 0
  #waiting = 0

  /** @param queue absent: a request without a place is refused at once. */
  constructor(
    limits: PlaceLimits,
    queue?: { readonly requests: RequestQueue<Release>; readonly length: number },
  ) {
    this.#limits = limits
    this.#queue = queue?.requests
    this.#maxWaiting = Math.ceil((queue?.length ?? 0) / 2)
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get waiting(): number {
    return this.#waiting
  }

  inFlightOf(hotkey: string): number {
    return this.#inFlightByHotkey.get(hotkey) ?? 0
  }

  /** A request of this caller would get a place, or a place in the queue. */
  hasRoom(claim: PlaceClaim): boolean {
    return this.#isFree(claim) || this.#mayWait(claim.hotkey)
  }

  /** The place, after a while in the queue if there is none; `left` when the caller disconnects meanwhile. */
  take(claim: PlaceClaim, waiter: Waiter | undefined): Release | Promise<Release | 'full' | 'left'> | 'full' {
    const release = this.#reserve(claim)
    if (release !== undefined) return release
    return this.#queue !== undefined && this.#mayWait(claim.hotkey)
      ? this.#wait(this.#queue, claim, waiter)
      : 'full'
  }

  async #wait(
    queue: RequestQueue<Release>,
    claim: PlaceClaim,
    waiter: Waiter | undefined,
  ): Promise<Release | 'full' | 'left'> {
    if (waiter?.destroyed) return 'left'
    this.#waiting++
    add(this.#waitingByHotkey, claim.hotkey, 1)
    const ticket = queue.wait(() => this.#reserve(claim))
    waiter?.once('close', ticket.leave)
    const end = await ticket.end
    waiter?.off('close', ticket.leave)
    add(this.#waitingByHotkey, claim.hotkey, -1)
    this.#waiting--
    if (end === 'caller-left') return 'left'
    return typeof end === 'string' ? 'full' : end
  }

  #mayWait(hotkey: string): boolean {
    return this.#queue?.isFull === false && (this.#waitingByHotkey.get(hotkey) ?? 0) < this.#maxWaiting
  }

  #isFree({ hotkey, hasPermit }: PlaceClaim): boolean {
    const { maxInFlight, maxInFlightPerSigner, maxInFlightPerValidator } = this.#limits
    const limit = hasPermit ? maxInFlightPerValidator : maxInFlightPerSigner
    return this.#inFlight < maxInFlight && this.inFlightOf(hotkey) < limit
  }

  #reserve(claim: PlaceClaim): Release | undefined {
    if (!this.#isFree(claim)) return undefined
    let isReleased = false
    this.#inFlight++
    add(this.#inFlightByHotkey, claim.hotkey, 1)
    return () => {
      if (isReleased) return
      isReleased = true
      this.#inFlight--
      add(this.#inFlightByHotkey, claim.hotkey, -1)
      this.#queue?.wake()
    }
  }
}

/** Counts by key; a key whose count is zero is forgotten. */
export function add(counts: Map<string, number>, key: string, step: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + step
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}
