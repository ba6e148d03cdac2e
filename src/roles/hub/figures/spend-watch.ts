import type { Accounts, Spend } from '../../../accounts/index.js'
import { type Clock, every, isAbort, type Log } from '../../../kernel/index.js'

/** Keys that the status lists one by one. */
const MOST_KEYS = 100
const INTERVAL_MS = 15_000

export interface SpendWatchDeps {
  readonly accounts: Pick<Accounts, 'spend'>
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** Reads what the keys have used every fifteen seconds. @returns the last figures; undefined before the first. */
export function watchSpend({ accounts, clock, log, signal }: SpendWatchDeps): () => Spend | undefined {
  let last: Spend | undefined
  const read = async () => {
    last = await accounts.spend(MOST_KEYS, signal)
  }
  const onError = (error: unknown) => {
    if (!isAbort(error))
      log.debug({ event: 'spend-unread', err: error }, 'could not read the use of the keys')
  }
  void read().catch(onError)
  void every(clock, INTERVAL_MS, signal, read, onError)
  return () => last
}
