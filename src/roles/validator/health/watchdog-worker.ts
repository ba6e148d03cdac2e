import { spawn } from 'node:child_process'
import { Session } from 'node:inspector'
import { kill, pid } from 'node:process'
import { parentPort } from 'node:worker_threads'
import { openOutput, systemClock } from '../../../kernel/index.js'
import type { WatchOrder } from './watchdog.js'

/** The thread of the watchdog: reads the shared memory, notifies systemd, and ends the process when it hangs. */
parentPort?.once('message', (order: WatchOrder) => void watch(order))

const LONGEST_CHECK_MS = 1000
/** A check may be late by this factor and still count in full. */
const LATE_FACTOR = 5
const KILL_AFTER_MS = 10_000

/**
 * At exit, after everything else: Node prints that it waits for this debugger, and would wait for the reader of that.
 */
const CLOSE_STDERR = "process.once('exit', () => process.getBuiltinModule('fs').closeSync(2))"

async function watch({ cells, loopTimeoutMs, exit, keepAlive }: WatchOrder): Promise<void> {
  const shared = new Int32Array(cells)
  const pings = keepAlive ? keepAlive.everyMs / 4 : LONGEST_CHECK_MS
  const checkMs = Math.max(10, Math.min(LONGEST_CHECK_MS, loopTimeoutMs / 10, pings))
  let checkedAt = systemClock.monotonic()
  let watchedMs = 0
  const beat = { count: -1, at: 0 }
  const phase = { count: -1, at: 0 }
  let notifiedAt = Number.NEGATIVE_INFINITY
  for (;;) {
    const now = systemClock.monotonic()
    // When this thread stalled as well, the machine or container was paused and nothing hung.
    watchedMs += Math.min(now - checkedAt, LATE_FACTOR * checkMs)
    checkedAt = now
    // Read before the count, which `enter` raises first: a new deadline never applies to the previous phase.
    const phaseMs = Atomics.load(shared, 2)
    note(phase, Atomics.load(shared, 1), watchedMs)
    note(beat, Atomics.load(shared, 0), watchedMs)
    if (watchedMs - beat.at > loopTimeoutMs) return endProcess('the event loop is blocked', exit)
    if (phaseMs > 0 && watchedMs - phase.at > phaseMs)
      return endProcess('a phase exceeded its deadline', exit)
    if (keepAlive && now - notifiedAt >= keepAlive.everyMs) {
      notifiedAt = now
      const env = { NOTIFY_SOCKET: keepAlive.socket, PATH: keepAlive.searchPath }
      spawn('systemd-notify', ['WATCHDOG=1'], { env, stdio: 'ignore' })
        .on('error', () => {})
        .unref()
    }
    await systemClock.sleep(checkMs)
  }
}

function note(counter: { count: number; at: number }, count: number, at: number): void {
  if (counter.count === count) return
  counter.count = count
  counter.at = at
}

/** process.exit in a thread ends only that thread; the inspector runs it on the main thread, even within an endless loop. */
async function endProcess(reason: string, exit: number): Promise<void> {
  const line = {
    level: 60,
    time: systemClock.now(),
    event: 'watchdog-exit',
    msg: 'the watchdog is ending a process that hangs',
    reason,
  }
  write(`${JSON.stringify(line)}\n`)
  const session = new Session()
  session.connectToMainThread()
  session.post('Runtime.evaluate', { expression: `${CLOSE_STDERR}; process.exit(${exit})` }, () => {})
  await systemClock.sleep(KILL_AFTER_MS)
  kill(pid, 'SIGKILL')
}

/** Never waits: a log that is no longer read, or its disk, may be what the process hangs on. */
function write(line: string): void {
  try {
    const output = openOutput(2)
    if (output.writeLater) output.writeLater(Buffer.from(line)).catch(() => {})
    else output.writeNow(Buffer.from(line))
  } catch {
    // Nobody can read standard error any more.
  }
}
