import type { LocalnetSettings } from '../config/index.js'
import { type Clock, messageOf, whenAborted } from '../kernel/index.js'
import { LOCALNET_MODELS } from './cast.js'
import { type BehaviourName, type DevelopmentEngine, startDevelopmentEngine } from './engine/index.js'
import { type EngineSpecification, parseEngineSpecification } from './engine-specification.js'
import { furnishFolder, openFolder, walletsFolder } from './folders.js'
import { startSubnetChain } from './subnet-chain.js'

/** What a part tells on stdout when it serves, one JSON document per line. */
export type PartEndpoint =
  | { readonly kind: 'chain'; readonly url: string; readonly wallets: string }
  | {
      readonly kind: 'engine'
      readonly url: string
      readonly models: readonly string[]
      readonly behaviour: BehaviourName
    }

export interface PartsDeps {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onEndpoint: (endpoint: PartEndpoint) => void
  readonly onNote: (line: string) => void
}

/** Ports of a network whose roles run apart: those the roles' own defaults name. */
const CHAIN_PORT = 9944
const ENGINE_PORT = 8000

/** One server for every model, at the pace of a real one: an answer that comes all at once counts as not streamed. */
const PLAIN_ENGINE: EngineSpecification = {
  behaviour: 'honest',
  tokensPerSecond: 120,
  models: LOCALNET_MODELS,
}

/** Serves the chain, engines or both in this process until the signal aborts. */
export async function serveParts(
  settings: LocalnetSettings & { readonly seed: string },
  deps: PartsDeps,
): Promise<void> {
  const folder = await openFolder(settings.dir)
  const closers: (() => Promise<void>)[] = [() => folder.release()]
  try {
    if (settings.only.includes('chain')) {
      await furnishFolder(folder.path, settings.seed)
      const chain = await startSubnetChain(
        {
          port: settings['chain.port'] ?? CHAIN_PORT,
          seed: settings.seed,
          blockTimeMs: settings['chain.block-time'],
          epochBlocks: settings['chain.tempo'],
        },
        (error) => deps.onNote(`A block could not be made: ${messageOf(error)}`),
      )
      closers.push(() => chain.close())
      deps.onEndpoint({ kind: 'chain', url: chain.url, wallets: walletsFolder(folder.path) })
    }
    if (settings.only.includes('engine')) {
      for (const engine of await startEngines(settings, deps, closers)) {
        deps.onEndpoint({
          kind: 'engine',
          url: engine.url,
          models: engine.models,
          behaviour: engine.behaviour,
        })
      }
    }
    deps.onNote('Ctrl-C ends it.')
    await whenAborted(deps.signal)
  } finally {
    for (const close of closers.reverse()) await close()
  }
}

async function startEngines(
  settings: LocalnetSettings,
  deps: PartsDeps,
  closers: (() => Promise<void>)[],
): Promise<DevelopmentEngine[]> {
  const given = settings['engine.serve'].map(parseEngineSpecification)
  const firstPort = settings['engine.port'] ?? ENGINE_PORT
  const engines: DevelopmentEngine[] = []
  for (const [index, specification] of (given.length > 0 ? given : [PLAIN_ENGINE]).entries()) {
    const { tokensPerSecond, ...rest } = specification
    const port = firstPort === 0 ? 0 : firstPort + index
    // what the miner's README tells operators to start vLLM with
    const options = { ...rest, port, returnTokensAsTokenIds: true, maxLogprobs: 32 }
    const paced = tokensPerSecond === undefined ? options : { ...options, tokensPerSecond }
    const engine = await startDevelopmentEngine(paced, { clock: deps.clock })
    closers.push(() => engine.close())
    engines.push(engine)
  }
  return engines
}
