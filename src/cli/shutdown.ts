import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { type Clock, systemClock } from '../kernel/index.js'

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const
/** A terminal and pm2 signal the whole process tree and the launcher forwards its own signal; within this time they count as one. */
const SAME_SIGNAL_MS = 500

export interface Shutdown {
  /** Aborts when the process should drain and exit. */
  readonly signal: AbortSignal
  /** Starts the drain from within the process. */
  stop(reason: string): void
  /** Removes all handlers. */
  release(): void
}

/** The parts of `process` used here; tests pass a fake. */
export interface ProcessEvents {
  on(event: string, listener: (...words: unknown[]) => void): unknown
  removeListener(event: string, listener: (...words: unknown[]) => void): unknown
  exit(status: number): never
}

/**
 * Turns signals into a graceful shutdown. The first SIGTERM or SIGINT starts the drain; another one more than half a
 * second later exits immediately with 128 + signal. With `stdin`, its end starts the drain too, so the process does not
 * outlive its parent. An uncaught error is logged and starts the drain; the process then exits with 1.
 */
export function watchShutdown(options: {
  readonly events: ProcessEvents
  readonly log?: Logger | undefined
  readonly stdin?: Readable | undefined
  readonly onFatal: (error: unknown) => void
  readonly clock?: Clock
}): Shutdown {
  const { events, log, stdin, onFatal, clock = systemClock } = options
  const controller = new AbortController()
  const drain = (reason: string) => {
    if (controller.signal.aborted) return
    log?.info({ event: 'draining', reason }, 'shutting down')
    controller.abort(new DOMException(`stopped by ${reason}`, 'AbortError'))
  }
  const listeners: [event: string, listener: (...words: unknown[]) => void][] = []
  const listen = (event: string, listener: (...words: unknown[]) => void) => {
    events.on(event, listener)
    listeners.push([event, listener])
  }
  let signalledAt: number | undefined
  for (const [name, number] of Object.entries(SIGNALS))
    listen(name, () => {
      signalledAt ??= clock.monotonic()
      if (clock.monotonic() - signalledAt < SAME_SIGNAL_MS) return drain(name)
      log?.warn({ event: 'forced-exit', reason: name }, 'second signal received: exiting without draining')
      events.exit(128 + number)
    })
  for (const event of ['uncaughtException', 'unhandledRejection'])
    listen(event, (error) => {
      log?.fatal({ event: 'uncaught-error', err: error, origin: event }, 'uncaught error: shutting down')
      onFatal(error)
      drain(event)
    })
  const onStdinEnd = () => drain('end of standard input')
  for (const event of ['end', 'close', 'error']) stdin?.once(event, onStdinEnd)
  stdin?.resume()
  return {
    signal: controller.signal,
    stop: drain,
    release: () => {
      for (const [event, listener] of listeners) events.removeListener(event, listener)
      for (const event of ['end', 'close', 'error']) stdin?.removeListener(event, onStdinEnd)
      stdin?.pause()
    },
  }
}

/**
 * Runs `work` with a signal that aborts when the process is asked to stop; for commands that are not neurons.
 *
 * @throws what `work` throws, or the uncaught error that interrupted it; the reason of the signal when `work` fails after it
 * aborted, because a stop closes what `work` reads from, and that failure would be reported as the cause.
 */
export async function runUntilStopped<T>(
  options: { readonly exitWithStdin: boolean; readonly log?: Logger },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  let fatal: { readonly error: unknown } | undefined
  const shutdown = watchShutdown({
    events: process,
    log: options.log,
    stdin: options.exitWithStdin ? process.stdin : undefined,
    onFatal: (error) => {
      fatal ??= { error }
    },
  })
  try {
    const result = await work(shutdown.signal)
    if (fatal) throw fatal.error
    return result
  } catch (error) {
    if (fatal) throw fatal.error
    throw shutdown.signal.aborted ? shutdown.signal.reason : error
  } finally {
    shutdown.release()
  }
}
