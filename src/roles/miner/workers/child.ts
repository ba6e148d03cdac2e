import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { forkModule } from '../../../kernel/index.js'
import { createBatchReader, createOutbox, type Outbox } from './batches.js'
import { type ToPrimary, toPrimary } from './to-primary.js'
import type { ToWorker } from './to-worker.js'

export interface ChildEvents {
  readonly onMessages: (messages: readonly ToPrimary[]) => void
  /** It sent an invalid message; it is killed. */
  readonly onInvalid: () => void
  /** Once. @param how exit status, signal, or why it could not be started */
  readonly onExit: (how: number | string) => void
}

/** A child process and its channel. */
export class Child {
  readonly #process: ChildProcess
  readonly #outbox: Outbox<ToWorker>
  /** Connections that are not sent yet: Node sends one at a time. */
  readonly #unsent = new Map<Socket, () => void>()
  #isOver = false
  /** Resolves when the process has ended. */
  readonly exited: Promise<void>

  constructor(events: ChildEvents) {
    const process = forkModule(new URL('./worker-process', import.meta.url))
    this.#process = process
    this.#outbox = createOutbox((batch) => {
      // An error means that the process has ended, which its exit reports.
      if (process.connected) process.send([...batch], undefined, undefined, () => {})
    })
    const readBatch = createBatchReader<ToPrimary>(toPrimary)
    process.on('message', (message) => {
      // What it held is given back already: a message that is still handled would take places that are never freed.
      if (this.#isOver) return
      const batch = readBatch(message)
      if (batch !== undefined) return events.onMessages(batch)
      events.onInvalid()
      this.kill()
    })
    this.exited = new Promise((resolve) => {
      const end = (how: number | string) => {
        if (this.#isOver) return
        this.#isOver = true
        for (const [socket, drop] of this.#unsent) {
          socket.destroy()
          drop()
        }
        this.#unsent.clear()
        resolve()
        events.onExit(how)
      }
      process.once('error', (error) => end(error.message))
      process.once('exit', (code, signal) => end(signal ?? code ?? 'unknown'))
    })
  }

  get pid(): number | null {
    return this.#process.pid ?? null
  }

  get tell(): Outbox<ToWorker>['tell'] {
    return this.#outbox.tell
  }

  /** @param drop called if the connection cannot be passed on any more */
  pass(connection: number, socket: Socket, drop: () => void): void {
    this.#unsent.set(socket, drop)
    this.#process.send({ connection }, socket, { keepOpen: false }, (error) => {
      if (!this.#unsent.delete(socket) || error === null) return
      socket.destroy()
      drop()
    })
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }
}
