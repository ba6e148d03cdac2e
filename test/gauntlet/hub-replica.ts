import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { inject } from 'vitest'
import type { DatabasePlace } from '../../src/database/index.js'
import { createDeferred } from '../../src/kernel/index.js'
import { freePort } from '../support/free-port.js'
import { temporaryFolder } from '../support/temporary-folder.js'

/** A hub in a process of its own, on the same port and in the same state folder after each restart. */
export interface KilledReplica {
  readonly url: string
  readonly kills: number
  /** Resolves while it serves. */
  readonly up: Promise<void>
  /** Resolves when a user has been answered since the last start. */
  readonly asked: Promise<void>
  noteAsked(): void
  kill(): Promise<void>
  /** Resolves when it serves again. */
  start(): Promise<void>
}

export async function startReplica(place: DatabasePlace, minerPort: number): Promise<KilledReplica> {
  const port = await freePort()
  const words = ['url' in place ? place.url : place.file, temporaryFolder('hub-kill'), port, minerPort]
  let child: ChildProcess
  let kills = 0
  let serving = createDeferred<void>()
  let asked = createDeferred<void>()
  const start = async () => {
    child = fork(inject('scripts').hub, words.map(String), {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let said = ''
    child.stderr?.on('data', (text) => {
      said = (said + text).slice(-4000)
    })
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve())
      child.once('exit', () => reject(new Error(`the hub did not start: ${said}`)))
    })
    serving.resolve()
  }
  await start()
  return {
    url: `http://127.0.0.1:${port}`,
    get kills() {
      return kills
    },
    get asked() {
      return asked.promise
    },
    noteAsked: () => asked.resolve(),
    get up() {
      return serving.promise
    },
    kill: async () => {
      serving = createDeferred()
      asked = createDeferred()
      kills++
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
    start,
  }
}
