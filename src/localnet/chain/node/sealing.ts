import { setMaxListeners } from 'node:events'
import { type Clock, every } from '../../../kernel/index.js'
import type { Chain } from './chain.js'

/** When blocks are made. */
export type Sealing =
  | { readonly kind: 'interval'; readonly blockTimeMs: number }
  /** Only on request. */
  | { readonly kind: 'manual' }
  /** As soon as a transaction arrives. */
  | { readonly kind: 'auto' }

interface SealingDeps {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** While true no block is made by itself. */
  readonly isStalled: () => boolean
  readonly onError: (error: unknown) => void
}

/**
 * Between a block and its finality when blocks come on demand. Not zero: a client that hears of both in one tick
 * reports the finality only.
 */
const AUTO_FINALITY_DELAY_MS = 200

/** Makes and finalises blocks until the signal aborts. */
export function startSealing(
  chain: Chain,
  sealing: Sealing,
  finalityLag: number,
  { clock, signal, isStalled, onError }: SealingDeps,
): void {
  chain.onBlock.add((block) => {
    if (sealing.kind !== 'auto') chain.finalizeUpTo(block.number - finalityLag)
    else {
      clock.sleep(AUTO_FINALITY_DELAY_MS, signal).then(
        () => chain.finalizeUpTo(block.number),
        () => {},
      )
    }
  })
  if (sealing.kind === 'auto') {
    // One sleep for each block that is not final yet.
    setMaxListeners(0, signal)
    chain.onSubmitted.add((entry) => {
      setImmediate(() => {
        if (!signal.aborted && !isStalled() && chain.pool.has(entry.hash)) chain.produceBlock()
      })
    })
  }
  if (sealing.kind === 'interval') {
    const job = async () => {
      if (!isStalled()) chain.produceBlock()
    }
    void every(clock, sealing.blockTimeMs, signal, job, onError)
  }
}
