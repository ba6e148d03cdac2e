import { isIP } from 'node:net'
import type { Metagraph, Subtensor } from '../../../chain/index.js'
import { createMinerAgent, listModels } from '../../../inference/index.js'
import { type Clock, isSpecialAddress, type Log } from '../../../kernel/index.js'
import type { Signer } from '../../../wallet/index.js'
import type { HubMiner } from './types.js'

/** Miners that are asked for their models at the same time. */
const ASKED_AT_ONCE = 256
/** Lists in a row that a miner may fail to send before it counts as serving nothing. */
const MISSES = 2

/** A miner with the models it listed last. */
export interface ListedMiner extends HubMiner {
  readonly incentive: number
  readonly models: readonly string[]
  /** Why its last list failed; undefined when it did not. */
  readonly silent: string | undefined
  /** Lists that failed in a row. */
  readonly misses: number
}

/** Who is on the subnet, and which models each serves. Lists are replaced, never modified. */
export interface Directory {
  readonly metagraph: Metagraph
  readonly miners: readonly ListedMiner[]
  /** Names of all models that they serve, sorted. */
  readonly models: readonly string[]
}

export interface DirectoryOptions {
  readonly subtensor: Subtensor
  readonly netuid: number
  readonly signer: Signer
  readonly allowsPrivate: boolean
  readonly clock: Clock
  readonly log: Log
}

/** Reads the metagraph and asks every miner for its models. @throws what Subtensor.metagraph throws; the signal's reason */
export async function readDirectory(
  options: DirectoryOptions,
  before: readonly ListedMiner[],
  signal: AbortSignal,
): Promise<Directory> {
  const metagraph = await options.subtensor.metagraph(options.netuid, signal)
  const known = new Map(before.map((miner) => [`${miner.hotkey} ${miner.url}`, miner]))
  const found = addressedMiners(metagraph, options.signer.address, options.allowsPrivate)
  const miners: ListedMiner[] = []
  const dispatcher = createMinerAgent()
  try {
    for (let at = 0; at < found.length; at += ASKED_AT_ONCE) {
      const some = found.slice(at, at + ASKED_AT_ONCE)
      const listed = some.map(async (miner) => {
        const answer = await listModels(miner, { ...options, dispatcher, signal })
        if (answer.kind === 'models') return { ...miner, models: answer.models, silent: undefined, misses: 0 }
        const last = known.get(`${miner.hotkey} ${miner.url}`)
        const misses = (last?.misses ?? MISSES) + 1
        const models = misses < MISSES ? (last?.models ?? []) : []
        return { ...miner, models, silent: answer.reason, misses }
      })
      miners.push(...(await Promise.all(listed)))
    }
  } finally {
    await dispatcher.destroy()
  }
  const models = [...new Set(miners.flatMap((miner) => miner.models))].sort()
  return { metagraph, miners, models }
}

/** Neurons with an address at which they may be asked, except the hub's own hotkey. */
export function addressedMiners({ neurons }: Metagraph, own: string, allowsPrivate: boolean) {
  return neurons.flatMap(({ uid, hotkey, coldkey, axon, incentive }) => {
    if (!axon || axon.port === 0 || hotkey === own) return []
    if (!allowsPrivate && isSpecialAddress(axon.ip)) return []
    const host = isIP(axon.ip) === 6 ? `[${axon.ip}]` : axon.ip
    return [{ uid, hotkey, coldkey, incentive, url: `http://${host}:${axon.port}` }]
  })
}
