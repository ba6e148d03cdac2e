import type { Clock } from '../kernel/index.js'
import { Connection } from './connection.js'
import type { Deadlines, Timed } from './deadlines.js'
import type { ResponseReader } from './response-parser.js'

/** How long connections stay idle unless the server names a time; uvicorn, which vLLM runs on, closes them after 5 s. */
const DEFAULT_IDLE_MS = 4000

/** Upper bound for the time a server names: a middlebox may drop a silent connection. */
const MAX_IDLE_MS = 60_000

/** We close this much earlier than the server would, so that no request meets a connection being closed. */
const MARGIN_MS = 1000

/** The connections to one model server: one per request in flight; of the idle ones the most recently used is taken. */
export class Connections implements Timed {
  readonly #clock: Clock
  readonly #deadlines: Deadlines
  readonly #origin: URL
  readonly #all = new Set<Connection>()
  #idle: { readonly connection: Connection; readonly untilMs: number }[] = []
  #isClosing = false

  constructor(origin: URL, clock: Clock, deadlines: Deadlines) {
    this.#origin = origin
    this.#clock = clock
    this.#deadlines = deadlines
    deadlines.watch(this)
  }

  send(head: string, body: Buffer, reader: ResponseReader): Connection {
    const connection = this.#idle.pop()?.connection ?? this.#open()
    connection.send(head, body, reader)
    return connection
  }

  /** Closes connections that have been idle too long. */
  check(nowMs: number): void {
    const stale = this.#idle.filter(({ untilMs }) => nowMs >= untilMs)
    for (const { connection } of stale) connection.destroy()
    if (stale.length > 0) this.#idle = this.#idle.filter(({ untilMs }) => nowMs < untilMs)
  }

  /** Closes idle connections now and every other one after its request. */
  close(): void {
    this.#isClosing = true
    this.#deadlines.forget(this)
    for (const { connection } of this.#idle.splice(0)) connection.destroy()
  }

  destroy(): void {
    this.close()
    for (const connection of this.#all) connection.destroy()
  }

  #open(): Connection {
    const connection: Connection = new Connection(
      this.#origin,
      (free) => this.#keep(free),
      (closed) => {
        this.#all.delete(closed)
        this.#idle = this.#idle.filter((one) => one.connection !== closed)
      },
    )
    this.#all.add(connection)
    return connection
  }

  #keep(connection: Connection): void {
    const { idleTimeoutMs } = connection
    const idleMs =
      idleTimeoutMs === undefined ? DEFAULT_IDLE_MS : Math.min(MAX_IDLE_MS, idleTimeoutMs - MARGIN_MS)
    if (this.#isClosing || idleMs <= 0) connection.destroy()
    else this.#idle.push({ connection, untilMs: this.#clock.monotonic() + idleMs })
  }
}
