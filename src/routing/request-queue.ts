import { type Clock, createDeferred } from '../kernel/index.js'
import type { Deadlines, Timed } from './deadlines.js'
import type { Upstream } from './upstream.js'

/** How waiting ended: with a reserved place, or without one. */
export type WaitEnd = Upstream | 'full' | 'queue-timeout' | 'caller-left'

/** Takes a place at an upstream if one is free. */
export type Reserve = () => Upstream | undefined

export interface RequestQueue {
  /** `leave` ends the wait when the caller disconnects. */
  wait(reserve: Reserve): { readonly end: Promise<WaitEnd>; leave(): void }
  /** A place may have become free: the first request in the queue that can use it gets it. */
  wake(): void
}

interface Ticket extends Timed {
  readonly reserve: Reserve
  end(reason: WaitEnd): void
}

/** First come, first served, and short on purpose: a caller does better trying another miner than waiting long here. */
export function createRequestQueue(
  clock: Clock,
  deadlines: Deadlines,
  limits: { readonly queueLength: number; readonly queueTimeoutMs: number },
): RequestQueue {
  const tickets = new Set<Ticket>()
  return {
    wait(reserve) {
      if (tickets.size >= limits.queueLength) return { end: Promise.resolve('full'), leave: () => {} }
      const { promise, resolve } = createDeferred<WaitEnd>()
      const startedAt = clock.monotonic()
      const ticket: Ticket = {
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
        const upstream = ticket.reserve()
        if (upstream === undefined) continue
        ticket.end(upstream)
        return
      }
    },
  }
}
