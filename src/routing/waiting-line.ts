import type { Clock } from '../kernel/index.js'
import type { Deadlines, Timed } from './deadlines.js'
import type { Upstream } from './upstream.js'

/** What waiting brought: a reserved place, or why there is none. */
export type WaitEnd = Upstream | 'full' | 'too-long' | 'caller-gone'

/** Takes a place at an upstream when one is free. */
export type Reserve = () => Upstream | undefined

export interface WaitingLine {
  /** `leave` of the ticket ends the waiting when the caller goes. */
  wait(reserve: Reserve): { readonly end: Promise<WaitEnd>; leave(): void }
  /** A place may have become free: the first in line that can use it gets it. */
  wake(): void
  readonly length: number
}

interface Ticket extends Timed {
  readonly reserve: Reserve
  end(reason: WaitEnd): void
}

/** First come, first served, short on purpose: a caller is better off asking another miner than waiting long here. */
export function createWaitingLine(
  clock: Clock,
  deadlines: Deadlines,
  limits: { readonly queueLength: number; readonly queueTimeoutMs: number },
): WaitingLine {
  const tickets = new Set<Ticket>()
  return {
    get length() {
      return tickets.size
    },
    wait(reserve) {
      if (tickets.size >= limits.queueLength) return { end: Promise.resolve('full'), leave: () => {} }
      const since = clock.monotonic()
      let settle: (end: WaitEnd) => void = () => {}
      const end = new Promise<WaitEnd>((resolve) => {
        settle = resolve
      })
      const ticket: Ticket = {
        reserve,
        check: (now) => {
          if (now - since >= limits.queueTimeoutMs) ticket.end('too-long')
        },
        end: (reason) => {
          tickets.delete(ticket)
          deadlines.forget(ticket)
          settle(reason)
        },
      }
      tickets.add(ticket)
      deadlines.watch(ticket)
      return { end, leave: () => ticket.end('caller-gone') }
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
