import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endProcess, meter, type Subject } from '../miner/processes.js'

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}

/** A folder for the files of one program; `remove` deletes it. */
export function programFolder(name: string): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `bench-${name}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) }
}

/** Python programs load for half a minute on a busy machine. */
const START_MS = 180_000
const TRY_MS = 100

/** @throws Error when the program ends, or does not listen within three minutes; it is killed then. */
export async function untilListening(name: string, child: ChildProcess, port: number): Promise<void> {
  const until = performance.now() + START_MS
  while (child.exitCode === null && performance.now() < until) {
    const socket = connect(port, '127.0.0.1')
    const isListening = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (isListening) return
    await new Promise((resolve) => setTimeout(resolve, TRY_MS))
  }
  child.kill('SIGKILL')
  throw new Error(`${name} does not listen on port ${port} (exit status ${child.exitCode})`)
}

/** A program that listens, as a process to measure. */
export function subjectOf(
  name: string,
  child: ChildProcess,
  port: number,
  afterEnd: () => void = () => {},
): Subject {
  return {
    ...{ name, port },
    ...meter(child.pid ?? 0),
    stop: async () => {
      await endProcess(child, 'SIGTERM')
      afterEnd()
    },
  }
}
