import { getEventListeners } from 'node:events'
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { getHeapCodeStatistics } from 'node:v8'

/** What a process holds after a full collection. */
export interface Holdings {
  /** Bytes of JavaScript objects, without code. */
  readonly heap: number
  /** Bytes of compiled code: V8 keeps compiling functions that are called only now and then. */
  readonly code: number
  /** Bytes of buffers outside the heap. */
  readonly external: number
  /** Bytes of memory in use as the system counts them. */
  readonly resident: number
  /** Open files and sockets. */
  readonly descriptors: number
  /** Timers, sockets and requests that keep the process alive. */
  readonly resources: number
  /** Listeners on the signal that ends the role, and on the process. */
  readonly listeners: number
  /** Bytes of the database with its log; 0 without one. */
  readonly database: number
  /** Bytes of all other files that the process has written. */
  readonly files: number
}

/** What a process has on disk, in bytes. */
export type Stored = Pick<Holdings, 'database' | 'files'>

/** A sample of a process under test. */
export interface Sample extends Holdings {
  /** Requests or answers up to then. */
  readonly work: number
}

/** In which the last answers are written before memory is read. */
const SETTLE_MS = 200

/** Reads what this process holds; it must have been started with --expose-gc. */
export async function readHoldings(
  signal: AbortSignal,
  stored = (): Stored => ({ database: 0, files: 0 }),
): Promise<Holdings> {
  await sleep(SETTLE_MS)
  for (let pass = 0; pass < 3; pass++) {
    global.gc?.()
    // what a collection finalizes is freed in the next turn
    await sleep(0)
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  const { code_and_metadata_size: machine, bytecode_and_metadata_size: bytecode } = getHeapCodeStatistics()
  const code = machine + bytecode
  const ofProcess = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0)
  return {
    heap: heapUsed - code,
    code,
    external,
    resident: rss,
    descriptors: readdirSync('/proc/self/fd').length,
    resources: process.getActiveResourcesInfo().length,
    listeners: getEventListeners(signal, 'abort').length + ofProcess,
    ...stored(),
  }
}
