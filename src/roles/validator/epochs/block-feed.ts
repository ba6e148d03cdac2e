import type { BlockHead, Subtensor } from '../../../chain/index.js'
import type { Clock, Log } from '../../../kernel/index.js'

const RESUBSCRIBE_MS = 1000

/** Hands every new head to `onHead` until the signal aborts; a stream that ends or fails is opened again. */
export async function followBlocks(
  subtensor: Subtensor,
  clock: Clock,
  log: Log,
  onHead: (head: BlockHead) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const head of subtensor.blocks(signal)) onHead(head)
    } catch (error) {
      if (!signal.aborted)
        log.warn({ event: 'block-stream-failed', err: error }, 'the block subscription failed')
    }
    await clock.sleep(RESUBSCRIBE_MS, signal).catch(() => {})
  }
}
