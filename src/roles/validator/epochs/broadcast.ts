import { setMaxListeners } from 'node:events'
import { createMinerAgent, listModels, type ModelsOptions, postModels } from '../../../inference/index.js'
import { type Clock, withDeadline } from '../../../kernel/index.js'
import type { Signer } from '../../../wallet/index.js'
import { originOf, type ServingMiner } from '../subnet/index.js'

/** All miners together, POST and GET (4.4.1 asked one after the other, 3 s a read). */
const TOTAL_MS = 3000
/** A miner that sits on the announcement is asked for its list all the same. */
const ANNOUNCE_MS = 1000
/** Miners signed for between two turns of the event loop: answers that stream meanwhile must not wait. */
const SIGNED_PER_TURN = 8

export interface BroadcastOptions {
  readonly clock: Clock
  readonly signer: Signer
  readonly wanted: readonly string[]
  /** Also tell the miners what is wanted (POST /models), not only ask what they serve. */
  readonly announce: boolean
}

/**
 * Tells every miner which models are wanted and asks which ones it serves, all at once and within 3 s.
 *
 * @returns the wanted models each miner serves, by hotkey, in the wanted order. A miner that did not answer, or not
 * sensibly, is absent: its last list stays valid. Rejects only when `signal` aborts.
 */
export async function broadcastModels(
  miners: readonly ServingMiner[],
  options: BroadcastOptions,
  signal: AbortSignal,
): Promise<Map<string, readonly string[]>> {
  const { clock, signer } = options
  const served = new Map<string, readonly string[]>()
  const dispatcher = createMinerAgent()
  const over = new AbortController()
  const call = { clock, signer, dispatcher, signal: AbortSignal.any([signal, over.signal]) }
  // One listener per miner is meant, not a leak.
  setMaxListeners(0, call.signal)
  const calls: Promise<void>[] = []
  try {
    await withDeadline(clock, 'asking the miners for their models', TOTAL_MS, signal, async () => {
      for (const [index, miner] of miners.entries()) {
        if (index % SIGNED_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
        calls.push(askMiner(miner, options, call, served))
      }
      await Promise.all(calls)
    }).catch(() => signal.throwIfAborted())
  } finally {
    over.abort()
    await dispatcher.destroy()
  }
  return served
}

/** Never rejects: whatever goes wrong means that this miner's last list stays. */
async function askMiner(
  miner: ServingMiner,
  { clock, wanted, announce }: BroadcastOptions,
  call: ModelsOptions & { readonly signal: AbortSignal },
  served: Map<string, readonly string[]>,
): Promise<void> {
  const target = { url: originOf(miner.axon), hotkey: miner.hotkey }
  try {
    if (announce)
      await withDeadline(clock, 'announcing models', ANNOUNCE_MS, call.signal, (signal) =>
        postModels(target, wanted, { ...call, signal }),
      ).catch(() => {})
    const answer = await listModels(target, call)
    if (answer.kind !== 'models') return
    const names = new Set(answer.models)
    served.set(
      miner.hotkey,
      wanted.filter((model) => names.has(model)),
    )
  } catch {
    // Aborted: the time is up.
  }
}
