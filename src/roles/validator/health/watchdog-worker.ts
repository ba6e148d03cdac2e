import { spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { Session } from 'node:inspector'
import { Socket } from 'node:net'
import { kill, pid } from 'node:process'
import { parentPort } from 'node:worker_threads'
import { systemClock } from '../../../kernel/index.js'
import type { WatchOrder } from './watchdog.js'

/** The watching side of the watchdog: looks at shared memory, gives signs of life, ends the process when they cease. */
parentPort?.once('message', (order: WatchOrder) => void watch(order))

const LONGEST_LOOK_MS = 1000
/** A look may come so many times later than meant and still count in full. */
const LATE_LOOKS = 5
const KILL_AFTER_MS = 10_000

async function watch({ cells, loopTimeoutMs, exit, keepAlive }: WatchOrder): Promise<void> {
  const shared = new Int32Array(cells)
  const pings = keepAlive ? keepAlive.everyMs / 4 : LONGEST_LOOK_MS
  const lookMs = Math.max(10, Math.min(LONGEST_LOOK_MS, loopTimeoutMs / 10, pings))
  let lookedAt = systemClock.monotonic()
  let watchedMs = 0
  const beat = { count: -1, at: 0 }
  const phase = { count: -1, at: 0 }
  let toldAt = Number.NEGATIVE_INFINITY
  for (;;) {
    const now = systemClock.monotonic()
    // While this side stood still too, the machine or the container was paused: nobody hung.
    watchedMs += Math.min(now - lookedAt, LATE_LOOKS * lookMs)
    lookedAt = now
    // Before the count, which `enter` raises first: a new deadline is never held against the phase before.
    const phaseMs = Atomics.load(shared, 2)
    note(phase, Atomics.load(shared, 1), watchedMs)
    note(beat, Atomics.load(shared, 0), watchedMs)
    if (watchedMs - beat.at > loopTimeoutMs) return endProcess('the event loop stands still', exit)
    if (phaseMs > 0 && watchedMs - phase.at > phaseMs) return endProcess('a phase is over its deadline', exit)
    if (keepAlive && now - toldAt >= keepAlive.everyMs) {
      toldAt = now
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
  const line = {
    level: 60,
    time: systemClock.now(),
    event: 'watchdog-exit',
    msg: 'watchdog ends the process',
    reason,
  }
  tell(`${JSON.stringify(line)}\n`)
  const session = new Session()
  session.connectToMainThread()
  session.post('Runtime.evaluate', { expression: `process.exit(${exit})` }, () => {})
  await systemClock.sleep(KILL_AFTER_MS)
  kill(pid, 'SIGKILL')
}

/** Never waits: a log that nobody reads any more may be the very thing the process hangs on. */
function tell(line: string): void {
  try {
    new Socket({ fd: 2, readable: false }).on('error', () => {}).write(line)
  } catch {
    // Neither pipe nor socket: a file or a terminal.
    writeSync(2, line)
  }
}
