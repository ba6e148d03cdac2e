import { setMaxListeners } from 'node:events'
import { type Clock, every } from '../../../kernel/index.js'
import type { Chain } from './chain.js'

/** When blocks are produced. */
export type Sealing =
  | { readonly kind: 'interval'; readonly blockTimeMs: number }
  /** Only on request. */
  | { readonly kind: 'manual' }
  /** As soon as a transaction enters the pool. */
  | { readonly kind: 'auto' }

interface SealingDeps {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** While true, blocks are produced on request only. */
  readonly isStalled: () => boolean
  readonly onError: (error: unknown) => void
}

/** Not zero, because a client that receives the block and its finality in one tick reports only the finality. */
const AUTO_FINALITY_DELAY_MS = 200

/** Produces and finalizes blocks until the signal aborts. */
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
    // Each block that is not final yet holds one listener.
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
