import { setMaxListeners } from 'node:events'
import { createMinerAgent, listModels, type ModelsOptions, postModels } from '../../../inference/index.js'
import { type Clock, Turns, withDeadline } from '../../../kernel/index.js'
import type { Signer } from '../../../wallet/index.js'
import { originOf, type ServingMiner } from '../subnet/index.js'

/** For all miners together, POST and GET (4.4.1 queried one after the other, with 3 s per read). */
const TOTAL_MS = 3000
/**
 * A miner that does not answer the announcement in time is still asked for its list. Longer than a second, after which the first
 * packet of a connection is sent again if it was lost.
 */
const ANNOUNCE_MS = 1500
/** Miners signed for between two turns of the event loop, on which other answers are timed. */
const SIGNED_PER_TURN = 8

export interface BroadcastOptions {
  readonly clock: Clock
  readonly signer: Signer
  readonly wanted: readonly string[]
  /** Also sends the wanted models to the miners (POST /models). */
  readonly announce: boolean
  /** Called at the end with how many miners could not be asked, because this process has no file descriptor left. */
  readonly onUnasked?: (miners: number) => void
}

/**
 * Tells every miner which models are wanted and asks which ones it serves, all at once and within 3 s.
 *
 * @returns the wanted models each miner serves, by hotkey, in the wanted order. A miner without a valid answer is
 * absent, and its last list stays in effect. Rejects only when `signal` aborts.
 */
export async function broadcastModels(
  miners: readonly ServingMiner[],
  options: BroadcastOptions,
  signal: AbortSignal,
): Promise<Map<string, readonly string[]>> {
  const { clock, signer } = options
  const served = new Map<string, readonly string[]>()
  const dispatcher = createMinerAgent()
  const timeUp = new AbortController()
  const call = { clock, signer, dispatcher, signal: AbortSignal.any([signal, timeUp.signal]) }
  // One listener per miner is intended, not a leak.
  setMaxListeners(0, call.signal)
  // Many announcements end at once, and the next request to each of these miners must be signed.
  const turns = new Turns(SIGNED_PER_TURN)
  const calls: Promise<void>[] = []
  let unasked = 0
  try {
    await withDeadline(clock, 'asking the miners for their models', TOTAL_MS, signal, async () => {
      for (const [index, miner] of miners.entries()) {
        if (index % SIGNED_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
        calls.push(
          pollMiner(miner, options, { ...call, turns }, served).then((isAsked) => {
            if (!isAsked) unasked++
          }),
        )
      }
      await Promise.all(calls)
    }).catch(() => signal.throwIfAborted())
  } finally {
    timeUp.abort()
    await dispatcher.destroy()
  }
  if (unasked > 0) options.onUnasked?.(unasked)
  return served
}

/** Never rejects: after any error the miner's last list stays in effect. @returns false when our own fault kept it from being asked */
async function pollMiner(
  miner: ServingMiner,
  { clock, wanted, announce }: BroadcastOptions,
  call: ModelsOptions & { readonly signal: AbortSignal; readonly turns: Turns },
  served: Map<string, readonly string[]>,
): Promise<boolean> {
  const target = { url: originOf(miner.axon), hotkey: miner.hotkey }
  try {
    if (announce) {
      await withDeadline(clock, 'announcing models', ANNOUNCE_MS, call.signal, (signal) =>
        postModels(target, wanted, { ...call, signal }),
      ).catch(() => {})
      await call.turns.next()
    }
    const answer = await listModels(target, call)
    if (answer.kind !== 'models') return answer.isOwnFault !== true
    const names = new Set(answer.models)
    served.set(
      miner.hotkey,
      wanted.filter((model) => names.has(model)),
    )
  } catch {
    // Aborted because the time is up.
  }
  return true
}
