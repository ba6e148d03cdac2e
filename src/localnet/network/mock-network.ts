import { hubArguments, minerArguments, validatorArguments } from './arguments.js'
import type { SelfCommand } from './child.js'
import { openFolder } from './folders.js'
import { type HubAccess, Network, type NetworkDeps } from './network.js'

export interface AroundOptions {
  readonly self: SelfCommand
  readonly env: Readonly<Record<string, string>>
  readonly seed?: string
  /** Port of the hub that the caller runs. */
  readonly hubPort?: number
}

/** The embedded network of `--mock`: everything except the role the caller runs itself. */
export interface SurroundingNetwork {
  /** Flags that connect the role to this network. The operator's own flags follow them and win. */
  readonly arguments: readonly string[]
  /** Rejects when a process of the network dies. */
  readonly death: Promise<never>
  stop(): Promise<void>
}

type MissingRole = 'miner' | 'validator' | 'hub'

const BLOCK_TIME_MS = 1000
const EPOCH_BLOCKS = 30
/** Of a hub whose settings name none. */
const HUB_PORT = 8080

/** Starts every part of the localnet except the validator, the hub, or the first miner of the cast. */
export async function startNetworkAround(
  role: MissingRole,
  options: AroundOptions,
  deps: NetworkDeps,
): Promise<SurroundingNetwork> {
  const { seed = 'localnet', hubPort = HUB_PORT } = options
  const folder = await openFolder(undefined)
  const plan = {
    blockTimeMs: BLOCK_TIME_MS,
    epochBlocks: EPOCH_BLOCKS,
    chainPort: 0,
    seed,
    cheats: [],
    miners: [],
    hub: role === 'hub',
  }
  try {
    const network = await Network.start(
      { ...plan, self: options.self, env: options.env, folder: folder.path, without: role, hubPort },
      deps,
    )
    if (network.hubAccess) deps.onProgress(describeAccess(network.hubAccess))
    const command = {
      miner: () => firstMinerArguments(network),
      validator: () => validatorArguments(network.places, plan),
      hub: () => hubArguments(network.places, seed, hubPort),
    }[role]()
    return {
      // without the command's own words, such as `miner start`
      arguments: command.slice(2),
      death: network.death,
      stop: async () => {
        await network.stop()
        await folder.release()
      },
    }
  } catch (error) {
    await folder.release()
    throw error
  }
}

function firstMinerArguments(network: Network): string[] {
  const member = network.cast[0]
  if (!member) throw new Error('the cast is empty')
  return minerArguments(network.places, member, network.engineUrlOf(member))
}

/** The key is of no use outside this network, which ends with the hub. */
function describeAccess({ url, apiKey }: HubAccess): string {
  return `the hub will answer: curl ${url}/v1/models -H 'Authorization: Bearer ${apiKey}'`
}
