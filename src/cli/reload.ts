import type { Logger } from 'pino'
import { type Clock, isAbort } from '../kernel/index.js'
import { watchFiles } from './watch-files.js'

/** A file has been written whole when it has been quiet for this long; a writer that never stops is read all the same. */
const QUIET_MS = 300
const LONGEST_WAIT_MS = 3000

export interface ReloadOptions<S> {
  readonly resolve: () => Promise<S>
  /** Absolute paths of what settings are read from; they need not exist yet. */
  readonly files: readonly string[]
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
  readonly events?: NodeJS.EventEmitter
}

/**
 * Freshly resolved settings each time the process gets SIGHUP or one of the files changes, until the signal aborts.
 * Settings that do not resolve are logged and skipped: the role goes on with the old ones.
 */
export function watchReload<S>(options: ReloadOptions<S>): AsyncGenerator<S> {
  const { files, log, signal, events = process } = options
  const bell = createBell(signal)
  let changes = 0
  // Never taken off again: without a listener SIGHUP would end the process, and the streams of a drain with it.
  events.on('SIGHUP', bell.ring)
  watchFiles(files, log, signal, () => {
    changes++
    bell.ring()
  })
  return readOnRing(options, bell, () => changes)
}

async function* readOnRing<S>(
  { resolve, clock, log, signal }: ReloadOptions<S>,
  bell: Bell,
  changes: () => number,
): AsyncGenerator<S> {
  let seen = 0
  try {
    while (await bell.heard()) {
      const until = clock.monotonic() + LONGEST_WAIT_MS
      while (changes() !== seen && clock.monotonic() < until) {
        seen = changes()
        await clock.sleep(QUIET_MS, signal)
      }
      seen = changes()
      bell.hush()
      try {
        const settings = await resolve()
        log.info({ event: 'settings-reloaded' }, 'reloaded the settings')
        yield settings
      } catch (error) {
        log.error(
          { event: 'settings-reload-failed', err: error },
          'could not reload the settings; the old ones stay in force',
        )
      }
    }
  } catch (error) {
    if (!isAbort(error)) throw error
  }
}

interface Bell {
  ring(): void
  hush(): void
  /** Waits for a ring not hushed yet. False when the signal has aborted. */
  heard(): Promise<boolean>
}

/** Remembers that it rang until it is hushed, so that nothing is missed while settings are being read. */
function createBell(signal: AbortSignal): Bell {
  let isRinging = false
  let wake: () => void = () => {}
  signal.addEventListener('abort', () => wake(), { once: true })
  return {
    ring: () => {
      isRinging = true
      wake()
    },
    hush: () => {
      isRinging = false
    },
    heard: async () => {
      if (!isRinging && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return !signal.aborted
    },
  }
}
