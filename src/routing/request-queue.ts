import { type Clock, createDeferred } from '../kernel/index.js'
import type { Deadlines, Timed } from './deadlines.js'

/** How waiting ended: with a reserved place, or without one. */
export type WaitEnd<Place> = Place | 'full' | 'queue-timeout' | 'caller-left'

/** Takes a place if one is free. */
export type Reserve<Place> = () => Place | undefined

export interface RequestQueue<Place> {
  /** No further request may wait. */
  readonly isFull: boolean
  /** `leave` ends the wait when the caller disconnects. */
  wait(reserve: Reserve<Place>): { readonly end: Promise<WaitEnd<Place>>; leave(): void }
  /** A place may have become free: the first request in the queue that can use it gets it. */
  wake(): void
}

interface Ticket<Place> extends Timed {
  readonly reserve: Reserve<Place>
  end(reason: WaitEnd<Place>): void
}

/** First come, first served, and short on purpose: a caller does better trying another miner than waiting long here. */
export function createRequestQueue<Place extends object>(
  clock: Clock,
  deadlines: Deadlines,
  limits: { readonly queueLength: number; readonly queueTimeoutMs: number },
): RequestQueue<Place> {
  const tickets = new Set<Ticket<Place>>()
  return {
    get isFull() {
      return tickets.size >= limits.queueLength
    },
    wait(reserve) {
      if (tickets.size >= limits.queueLength) return { end: Promise.resolve('full'), leave: () => {} }
      const { promise, resolve } = createDeferred<WaitEnd<Place>>()
      const startedAt = clock.monotonic()
      const ticket: Ticket<Place> = {
        reserve,
        check: (now) => {
          if (now - startedAt >= limits.queueTimeoutMs) ticket.end('queue-timeout')
        },
        end: (reason) => {
          tickets.delete(ticket)
          deadlines.forget(ticket)
          resolve(reason)
        },
      }
      tickets.add(ticket)
      deadlines.watch(ticket)
      return { end: promise, leave: () => ticket.end('caller-left') }
    },
    wake() {
      for (const ticket of tickets) {
        const place = ticket.reserve()
        if (place === undefined) continue
        ticket.end(place)
        return
      }
    },
  }
}
