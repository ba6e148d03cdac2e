import type { Logger } from 'pino'
import { type Clock, isAbort } from '../kernel/index.js'
import { watchFiles } from './watch-files.js'

/** Files are read once they have not changed for this long, and after LONGEST_WAIT_MS in any case. */
const QUIET_MS = 300
const LONGEST_WAIT_MS = 3000

export interface ReloadOptions<S> {
  readonly resolve: () => Promise<S>
  /** Absolute paths of the settings files; they need not exist yet. */
  readonly files: readonly string[]
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
  readonly events?: NodeJS.EventEmitter
}

/**
 * Yields newly resolved settings whenever the process receives SIGHUP or one of the files changes, until the signal aborts.
 * Invalid settings are logged and skipped, so the role keeps the previous ones.
 */
export function watchReload<S>(options: ReloadOptions<S>): AsyncGenerator<S> {
  const { files, log, signal, events = process } = options
  const request = createReloadRequest(signal)
  let changes = 0
  // Never removed: without a listener, SIGHUP would kill the process while it drains.
  events.on('SIGHUP', request.set)
  watchFiles(files, log, signal, () => {
    changes++
    request.set()
  })
  return readOnRequest(options, request, () => changes)
}

async function* readOnRequest<S>(
  { resolve, clock, log, signal }: ReloadOptions<S>,
  request: ReloadRequest,
  changes: () => number,
): AsyncGenerator<S> {
  let seen = 0
  try {
    while (await request.wait()) {
      const until = clock.monotonic() + LONGEST_WAIT_MS
      while (changes() !== seen && clock.monotonic() < until) {
        seen = changes()
        await clock.sleep(QUIET_MS, signal)
      }
      seen = changes()
      request.clear()
      try {
        const settings = await resolve()
        log.info({ event: 'settings-reloaded' }, 'settings reloaded')
        yield settings
      } catch (error) {
        log.error(
          { event: 'settings-reload-failed', err: error },
          'could not reload the settings; keeping the previous ones',
        )
      }
    }
  } catch (error) {
    if (!isAbort(error)) throw error
  }
}

interface ReloadRequest {
  set(): void
  clear(): void
  /** Resolves with true once the request is set, with false once the signal has aborted. */
  wait(): Promise<boolean>
}

/** Stays set until cleared, so that a request made while settings are being read is not lost. */
function createReloadRequest(signal: AbortSignal): ReloadRequest {
  let isSet = false
  let wake: () => void = () => {}
  signal.addEventListener('abort', () => wake(), { once: true })
  return {
    set: () => {
      isSet = true
      wake()
    },
    clear: () => {
      isSet = false
    },
    wait: async () => {
      if (!isSet && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return !signal.aborted
    },
  }
}
