import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.js'
import type { KeepAlive } from '../../telemetry/index.js'

/** What the main loop is doing, with the longest it may stay there without a sign of life, in seconds. */
const PHASES = {
  /** Until the first round: chain, data set, engines; one that loads a model may take as long as it likes. */
  loading: Number.POSITIVE_INFINITY,
  planning: 120,
  asking: 600,
  idle: 120,
  draining: 60,
} as const

export type Phase = keyof typeof PHASES

export interface Watchdog {
  /** The round loop moved on to another phase; the deadline of the new one starts now. */
  enter(phase: Phase): void
  close(): Promise<void>
}

export interface WatchdogOptions {
  readonly clock: Clock
  readonly log: Logger
  /** The loop itself must turn this often, whatever the phase. */
  readonly loopTimeoutMs?: number
  /** systemd is given a sign of life while nothing hangs, and none any more once something does. */
  readonly keepAlive?: KeepAlive | undefined
  /** Scales the deadlines of the phases: tests do not wait for minutes. */
  readonly scale?: number
}

/** Exit status of a process that its watchdog ended. */
export const WATCHDOG_EXIT = 70
const LOOP_TIMEOUT_MS = 300_000
const BEAT_MS = 1000

/**
 * The watching side runs in a thread of its own, so that a blocked event loop cannot keep it from ending the process:
 * 4.4.1's heartbeat ended only its own thread. Shared memory: [0] beats of the loop, [1] times a phase was entered,
 * [2] its deadline in milliseconds, 0 for none.
 */
const WATCHER = `
const { workerData } = require('node:worker_threads')
const { writeSync } = require('node:fs')
const { spawn } = require('node:child_process')
const { Session } = require('node:inspector')
const { cells, loopTimeoutMs, exit, keepAlive } = workerData
const shared = new Int32Array(cells)
let beats = -1, entered = -1, beatAt = performance.now(), enteredAt = beatAt, toldAt = -Infinity
const watching = setInterval(() => {
  const now = performance.now()
  if (Atomics.load(shared, 0) !== beats) { beats = Atomics.load(shared, 0); beatAt = now }
  if (Atomics.load(shared, 1) !== entered) { entered = Atomics.load(shared, 1); enteredAt = now }
  const phaseMs = Atomics.load(shared, 2)
  const stuck = now - beatAt > loopTimeoutMs ? 'the event loop stands still'
    : phaseMs > 0 && now - enteredAt > phaseMs ? 'a phase is over its deadline' : undefined
  if (stuck === undefined) return tell(now)
  writeSync(2, JSON.stringify({ level: 60, time: Date.now(), msg: 'watchdog ends the process', reason: stuck }) + '\\n')
  clearInterval(watching)
  exitNow()
}, Math.max(10, Math.min(1000, loopTimeoutMs / 10, keepAlive ? keepAlive.everyMs / 4 : Infinity)))
function tell(now) {
  if (!keepAlive || now - toldAt < keepAlive.everyMs) return
  toldAt = now
  const env = { NOTIFY_SOCKET: keepAlive.socket, PATH: keepAlive.searchPath }
  spawn('systemd-notify', ['WATCHDOG=1'], { env, stdio: 'ignore' }).on('error', () => {}).unref()
}
// process.exit in a thread ends only the thread; the inspector runs it on the main thread even amid an endless loop.
function exitNow() {
  const session = new Session()
  session.connectToMainThread()
  session.post('Runtime.evaluate', { expression: 'process.exit(' + exit + ')' }, () => {})
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 10000)
}
`

/** Starts the watchdog; it ends the process with status 70 when the loop or a phase hangs. */
export function startWatchdog(options: WatchdogOptions): Watchdog {
  const { clock, log, scale = 1 } = options
  const shared = new Int32Array(new SharedArrayBuffer(12))
  const loopTimeoutMs = options.loopTimeoutMs ?? LOOP_TIMEOUT_MS
  const worker = new Worker(WATCHER, {
    eval: true,
    // None of the process's own: a flag such as --input-type would make the text mean something else.
    execArgv: [],
    workerData: { cells: shared.buffer, loopTimeoutMs, exit: WATCHDOG_EXIT, keepAlive: options.keepAlive },
  })
  worker.unref()
  worker.on('error', (error) => log.error({ error: error.message }, 'watchdog failed'))
  const stopped = new AbortController()
  const beat = async () => {
    while (!stopped.signal.aborted) {
      Atomics.add(shared, 0, 1)
      await clock.sleep(Math.min(BEAT_MS, loopTimeoutMs / 10), stopped.signal).catch(() => {})
    }
  }
  void beat()
  const enter = (phase: Phase) => {
    const seconds = PHASES[phase]
    Atomics.store(shared, 2, Number.isFinite(seconds) ? Math.round(seconds * 1000 * scale) : 0)
    Atomics.add(shared, 1, 1)
  }
  enter('loading')
  return {
    enter,
    close: async () => {
      stopped.abort()
      await worker.terminate()
    },
  }
}
