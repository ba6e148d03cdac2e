import { on } from 'node:events'
import type { Logger } from 'pino'
import { isAbort } from '../errors.js'

/**
 * Freshly resolved settings each time the process gets SIGHUP, until the signal aborts. Settings that do not resolve
 * are logged and skipped: the role goes on with the old ones.
 */
export async function* watchReload<S>(
  resolve: () => Promise<S>,
  log: Logger,
  signal: AbortSignal,
  events: NodeJS.EventEmitter = process,
): AsyncGenerator<S> {
  try {
    for await (const _ of on(events, 'SIGHUP', { signal })) {
      try {
        yield await resolve()
        log.info('settings reloaded')
      } catch (error) {
        log.error({ err: error }, 'settings not reloaded')
      }
    }
  } catch (error) {
    if (!isAbort(error)) throw error
  }
}
