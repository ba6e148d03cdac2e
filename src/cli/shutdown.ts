import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { type Clock, systemClock } from '../kernel/index.js'

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const
/** A terminal and pm2 signal a whole tree of processes, and the launcher forwards its own: that is still one wish. */
const SAME_WISH_MS = 500

export interface Shutdown {
  /** Aborts when the process shall drain and end. */
  readonly signal: AbortSignal
  /** Asks for the drain from within. */
  stop(reason: string): void
  /** Forgets the process again: handlers are removed. */
  release(): void
}

/** The parts of `process` that end a role; a test passes its own. */
export interface ProcessEvents {
  on(event: string, listener: (...words: unknown[]) => void): unknown
  removeListener(event: string, listener: (...words: unknown[]) => void): unknown
  exit(status: number): never
}

/**
 * The first SIGTERM or SIGINT asks the role to drain, a second one ends the process at once (128 + signal); what comes
 * within half a second of the first is no second one.
 * With `stdin`, its end asks for a drain too: no process then outlives the one that started it.
 * An uncaught error is fatal: it is logged, the role may save what it has, and the process ends with status 1.
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
    log?.info({ event: 'draining', reason }, 'draining: finishing what is under way')
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
      if (clock.monotonic() - signalledAt < SAME_WISH_MS) return drain(name)
      log?.warn({ event: 'forced-exit', reason: name }, 'exiting at once without draining')
      events.exit(128 + number)
    })
  for (const event of ['uncaughtException', 'unhandledRejection'])
    listen(event, (error) => {
      log?.fatal({ event: 'uncaught-error', err: error, origin: event }, 'uncaught error: exiting')
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
 * Runs work that goes on until it ends by itself or the process is asked to stop, for commands without a role's log.
 *
 * @throws what `work` throws, or the uncaught error that interrupted it.
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
    throw fatal ? fatal.error : error
  } finally {
    shutdown.release()
  }
}
