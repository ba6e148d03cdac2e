import { isAbort, withDeadline } from '../../kernel/index.js'
import type { Context } from '../context.js'

const TIMEOUT_MS = 4000
/** The header has whole seconds. */
const HALF_SECOND_MS = 500

/**
 * By how many milliseconds a server's clock is ahead of the local one, from the Date header of its answer to a plain GET; exact
 * to about a second.
 *
 * @param address http, https, ws or wss
 * @returns undefined when the server states no date
 */
export async function serverAheadMs(
  address: string,
  { clock }: Pick<Context, 'clock'>,
  signal: AbortSignal,
): Promise<number | undefined> {
  const url = new URL(address.replace(/^ws/, 'http'))
  url.username = ''
  url.password = ''
  try {
    return await withDeadline(clock, `the date of ${url.host}`, TIMEOUT_MS, signal, async (own) => {
      const sentAt = clock.now()
      const response = await fetch(url, { signal: own, redirect: 'manual' })
      await response.body?.cancel()
      const statedAt = Date.parse(response.headers.get('date') ?? '')
      if (Number.isNaN(statedAt)) return undefined
      return statedAt + HALF_SECOND_MS - (sentAt + clock.now()) / 2
    })
  } catch (error) {
    if (isAbort(error)) signal.throwIfAborted()
    return undefined
  }
}
