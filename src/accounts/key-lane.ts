import { randomUUID } from 'node:crypto'
import { type Clock, createDeferred, DeadlineError, type Deferred, withDeadline } from '../kernel/index.js'
import { runBatch, type Wanted } from './batch.js'
import { type AccountsConnection, unavailable } from './connection.js'
import type { LeaseTimes } from './time.js'
import type { Refusal, Use } from './types.js'

/** Reservations and settlements in one transaction, at most each. */
const BATCH_SIZE = 200
const RESERVE_TIMEOUT_MS = 10_000
const RETRY_MS = 1000

export interface LaneContext {
  readonly connection: AccountsConnection
  readonly clock: Clock
  readonly owner: string
  readonly times: LeaseTimes
  /** Ids of this replica's reservations that are not settled yet. */
  readonly active: Set<string>
  /** Ends the attempts to write. */
  readonly signal: AbortSignal
}

interface Waiting {
  readonly wanted: Wanted
  readonly answer: Deferred<Refusal | undefined>
  /** The caller no longer waits. */
  isAbandoned: boolean
  isReserved: boolean
}

interface Settling {
  readonly use: Use | undefined
  readonly written: Deferred<void>
}

/**
 * Reservations and settlements of one key, one transaction at a time: what arrives while one runs is done together in the next, so
 * many requests with one key do not wait for each other's locks.
 */
export class KeyLane {
  #waiting: Waiting[] = []
  readonly #settling = new Map<string, Settling>()
  #isSweepWanted = false
  #running: Promise<void> | undefined
  #pause = createDeferred<void>()

  /**
   * @param onLost is given the id of a reservation that the caller of `reserve` no longer waits for
   * @param onIdle is called when nothing is left to write; a lane that has ended is not used again
   */
  constructor(
    private readonly keyId: string,
    private readonly context: LaneContext,
    private readonly onLost: (id: string) => void,
    private readonly onIdle: () => void,
  ) {}

  /**
   * @returns the id of the reservation, or why there is none
   * @throws TargonError ACCOUNTS_UNAVAILABLE; the signal's reason
   */
  async reserve(model: string, tokens: number, signal: AbortSignal): Promise<string | Refusal> {
    signal.throwIfAborted()
    const id = randomUUID()
    const answer = createDeferred<Refusal | undefined>()
    const wanted = { id, model, tokens }
    const one: Waiting = { wanted, answer, isAbandoned: false, isReserved: false }
    this.#waiting.push(one)
    this.#start()
    try {
      const refusal = await withDeadline(
        this.context.clock,
        'reserving tokens',
        RESERVE_TIMEOUT_MS,
        signal,
        () => answer.promise,
      )
      return refusal ?? id
    } catch (error) {
      one.isAbandoned = true
      this.#waiting = this.#waiting.filter((other) => other !== one)
      if (one.isReserved) this.onLost(id)
      throw error instanceof DeadlineError ? unavailable(error) : error
    }
  }

  /** Debits what expired reservations of replicas that died had reserved. */
  sweep(): void {
    this.#isSweepWanted = true
    this.#start()
  }

  /** Writes what waits, or gives up when the signal of the context aborts. */
  async finish(): Promise<void> {
    this.#pause.resolve()
    while (this.#running !== undefined) await this.#running
  }

  /** Resolves when it is written. @param use undefined for a request that never started */
  settle(id: string, use: Use | undefined): Promise<void> {
    const written = createDeferred<void>()
    this.#settling.set(id, { use, written })
    this.#start()
    return written.promise
  }

  get #hasWork(): boolean {
    return this.#waiting.length > 0 || this.#settling.size > 0 || this.#isSweepWanted
  }

  #start(): void {
    this.#pause.resolve()
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      // what came since the last look, unless the accounts are closed
      if (this.#hasWork && !this.context.signal.aborted) this.#start()
      else this.onIdle()
    })
  }

  async #run(): Promise<void> {
    const { signal, clock } = this.context
    while (this.#hasWork && !signal.aborted) {
      if (await this.#runBatch()) continue
      this.#pause = createDeferred()
      const rest = new AbortController()
      const rested = clock.sleep(RETRY_MS, rest.signal).catch(() => {})
      const stop = () => this.#pause.resolve()
      signal.addEventListener('abort', stop, { once: true })
      await Promise.race([rested, this.#pause.promise])
      signal.removeEventListener('abort', stop)
      rest.abort()
    }
    if (signal.aborted) this.#giveUp()
  }

  /** @returns whether it succeeded; settlements that failed stay and are tried again. */
  async #runBatch(): Promise<boolean> {
    const { connection, clock, owner, times, active } = this.context
    const waiting = this.#waiting.splice(0, BATCH_SIZE)
    const settling = [...this.#settling].slice(0, BATCH_SIZE)
    let mayBeWritten = false
    this.#isSweepWanted = false
    try {
      const refusals = await connection.use((database) =>
        runBatch(database, clock, {
          ...{ keyId: this.keyId, owner, leaseMs: times.leaseMs },
          mayExpire: connection.usableForMs >= times.graceMs,
          settled: new Map(settling.map(([id, { use }]) => [id, use])),
          wanted: waiting.map(({ wanted }) => wanted),
          onCommit: () => {
            mayBeWritten = true
          },
        }),
      )
      for (const [id, { written }] of settling) {
        this.#settling.delete(id)
        active.delete(id)
        written.resolve()
      }
      for (const [index, one] of waiting.entries()) this.#answer(one, refusals[index])
      return true
    } catch (error) {
      for (const { wanted, answer } of waiting) {
        // a commit whose answer is lost may have reserved
        if (mayBeWritten) void this.settle(wanted.id, undefined)
        answer.reject(error)
      }
      return false
    }
  }

  #answer(one: Waiting, refusal: Refusal | undefined): void {
    if (refusal === undefined) {
      this.context.active.add(one.wanted.id)
      one.isReserved = true
      if (one.isAbandoned) void this.settle(one.wanted.id, undefined)
    }
    one.answer.resolve(refusal)
  }

  #giveUp(): void {
    for (const { answer } of this.#waiting.splice(0)) answer.reject(unavailable(this.context.signal.reason))
    for (const { written } of this.#settling.values()) written.resolve()
    this.#settling.clear()
  }
}
