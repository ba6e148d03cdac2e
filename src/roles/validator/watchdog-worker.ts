import { spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { Session } from 'node:inspector'
import { kill, pid } from 'node:process'
import { parentPort } from 'node:worker_threads'
import { systemClock } from '../../clock.js'
import type { WatchOrder } from './watchdog.js'

/** The watching side of the watchdog: looks at shared memory, gives signs of life, ends the process when they cease. */
parentPort?.once('message', (order: WatchOrder) => void watch(order))

const LONGEST_LOOK_MS = 1000
const KILL_AFTER_MS = 10_000

async function watch({ cells, loopTimeoutMs, exit, keepAlive }: WatchOrder): Promise<void> {
  const shared = new Int32Array(cells)
  const now = () => systemClock.monotonic()
  const pings = keepAlive ? keepAlive.everyMs / 4 : LONGEST_LOOK_MS
  const lookMs = Math.max(10, Math.min(LONGEST_LOOK_MS, loopTimeoutMs / 10, pings))
  const beat = { count: -1, at: now() }
  const phase = { count: -1, at: now() }
  let toldAt = Number.NEGATIVE_INFINITY
  for (;;) {
    note(beat, Atomics.load(shared, 0), now())
    note(phase, Atomics.load(shared, 1), now())
    const phaseMs = Atomics.load(shared, 2)
    if (now() - beat.at > loopTimeoutMs) return endProcess('the event loop stands still', exit)
    if (phaseMs > 0 && now() - phase.at > phaseMs) return endProcess('a phase is over its deadline', exit)
    if (keepAlive && now() - toldAt >= keepAlive.everyMs) {
      toldAt = now()
      const env = { NOTIFY_SOCKET: keepAlive.socket, PATH: keepAlive.searchPath }
      spawn('systemd-notify', ['WATCHDOG=1'], { env, stdio: 'ignore' })
        .on('error', () => {})
        .unref()
    }
    await systemClock.sleep(lookMs)
  }
}

function note(counter: { count: number; at: number }, count: number, at: number): void {
  if (counter.count === count) return
  counter.count = count
  counter.at = at
}

/** process.exit in a thread ends only the thread; the inspector runs it on the main thread, even amid an endless loop. */
async function endProcess(reason: string, exit: number): Promise<void> {
  const line = { level: 60, time: systemClock.now(), msg: 'watchdog ends the process', reason }
  writeSync(2, `${JSON.stringify(line)}\n`)
  const session = new Session()
  session.connectToMainThread()
  session.post('Runtime.evaluate', { expression: `process.exit(${exit})` }, () => {})
  await systemClock.sleep(KILL_AFTER_MS)
  kill(pid, 'SIGKILL')
}
