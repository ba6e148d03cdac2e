import type { BlockHead } from '../../../chain/index.js'
import type { ValidatorContext } from '../subnet/index.js'

const RESUBSCRIBE_MS = 1000

/** Passes every new head to `onHead` until the signal aborts; subscribes again when the stream ends or fails. */
export async function followBlocks(
  { clock, log, signal, subtensor }: Pick<ValidatorContext, 'clock' | 'log' | 'signal' | 'subtensor'>,
  onHead: (head: BlockHead) => void,
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
