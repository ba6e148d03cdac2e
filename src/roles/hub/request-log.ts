import { type Clock, createFailureBuckets, type Log } from '../../kernel/index.js'
import type { RequestEnd } from './gateway/index.js'

/** Failed requests logged per second and code; those beyond are counted and told with the next one. */
const LINES_PER_SECOND = 1

/** Logs how requests end. It is never given what was asked or answered. */
export function createRequestLog(log: Log, clock: Clock): (end: RequestEnd) => void {
  const lines = createFailureBuckets(clock, LINES_PER_SECOND)
  const unlogged = new Map<string, number>()
  return (end) => {
    const { id, key, route, model, outcome, code = 'none', attempts, tokens, causes } = end
    const ms = Math.round(end.totalMs)
    log.debug(
      { event: 'hub-request-ended', id, key, route, model, outcome, code: end.code, attempts, tokens, ms },
      'a request of a user ended',
    )
    if (outcome !== 'failed') return
    if (lines.isExhausted(code)) {
      unlogged.set(code, (unlogged.get(code) ?? 0) + 1)
      return
    }
    lines.fail(code)
    const omitted = unlogged.get(code)
    unlogged.delete(code)
    log.warn(
      {
        event: 'hub-request-failed',
        ...{ id, key, route, model, code, attempts, causes, ms },
        // of the same code, since the last line
        ...(omitted !== undefined && { omitted }),
      },
      'a request of a user failed',
    )
  }
}
