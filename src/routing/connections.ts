import type { Clock } from '../kernel/index.js'
import { Connection, type ResponseReader } from './connection.js'
import type { Deadlines, Timed } from './deadlines.js'

/** Idle connections are closed after this unless the server names a time; uvicorn, under vLLM, closes them after 5 s. */
const IDLE_MS = 4000

/** No server's word keeps them longer: somebody between may forget a silent connection. */
const MAX_IDLE_MS = 60_000

/** Closed this much before the server would: a request must not cross its closing. */
const MARGIN_MS = 1000

interface Idle {
  readonly connection: Connection
  readonly until: number
}

/** The connections to one model server: as many as there are requests, the most recently used one first. */
export class Connections implements Timed {
  readonly #clock: Clock
  readonly #deadlines: Deadlines
  readonly #origin: URL
  readonly #all = new Set<Connection>()
  #idle: Idle[] = []
  #isClosing = false

  constructor(origin: URL, clock: Clock, deadlines: Deadlines) {
    this.#origin = origin
    this.#clock = clock
    this.#deadlines = deadlines
    deadlines.watch(this)
  }

  /** Sends a request on a free connection or a new one. */
  send(head: string, body: Buffer, reader: ResponseReader): Connection {
    const connection = this.#idle.pop()?.connection ?? this.#open()
    connection.send(head, body, reader)
    return connection
  }

  /** Closes what has been idle for too long. */
  check(nowMs: number): void {
    const stale = this.#idle.filter(({ until }) => nowMs >= until)
    for (const { connection } of stale) connection.destroy()
    if (stale.length > 0) this.#idle = this.#idle.filter(({ until }) => nowMs < until)
  }

  /** Lets requests under way finish and closes each connection after its own. */
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
      (gone) => {
        this.#all.delete(gone)
        this.#idle = this.#idle.filter((one) => one.connection !== gone)
      },
    )
    this.#all.add(connection)
    return connection
  }

  #keep(connection: Connection): void {
    const { keptMs: namedMs } = connection
    const keptMs = namedMs === undefined ? IDLE_MS : Math.min(MAX_IDLE_MS, namedMs - MARGIN_MS)
    if (this.#isClosing || keptMs <= 0) connection.destroy()
    else this.#idle.push({ connection, until: this.#clock.monotonic() + keptMs })
  }
}
