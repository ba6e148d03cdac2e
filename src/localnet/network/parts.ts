import type { LocalnetSettings } from '../../config/index.js'
import { type Clock, initSr25519, messageOf, pairFromSeed, whenAborted } from '../../kernel/index.js'
import { type DevelopmentChain, startDevelopmentChain } from '../chain/index.js'
import { type BehaviourName, type DevelopmentEngine, startDevelopmentEngine } from '../engine/index.js'
import {
  COLDKEY_NAME,
  castWith,
  cheatsWith,
  deriveSecret,
  HUB_NAME,
  hotkeyNames,
  LOCALNET_MODELS,
  VALIDATOR_NAME,
} from './cast.js'
import { type EngineSpecification, parseEngineSpecification } from './engine-specification.js'
import { openFolder, seedFolder, walletsFolder } from './folders.js'
import { type RoleCommandOptions, roleCommands } from './role-commands.js'

/** What a part prints on stdout once it serves: one JSON document per line. */
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
  /** How this program was started, for the commands that run roles against these parts. */
  readonly program: string
  readonly signal: AbortSignal
  readonly onEndpoint: (endpoint: PartEndpoint) => void
  readonly onNote: (line: string) => void
}

type PartsSettings = LocalnetSettings & { readonly seed: string }

/** Default ports when the roles run in terminals of their own: those in the roles' own defaults. */
const CHAIN_PORT = 9944
const ENGINE_PORT = 8000

/** The runtime of the main network; Python clients from version 10.5 to 11.3 can use the chain. */
const SPEC_VERSION = 475

/** Above the stake a miner requires of its callers (10,000 TAO); the validator alone has the majority. */
const STAKES_TAO: Readonly<Record<string, number>> = { [VALIDATOR_NAME]: 100_000, [HUB_NAME]: 20_000 }

/** One server for every model. It is paced because an answer that arrives all at once counts as not streamed. */
const DEFAULT_ENGINE: EngineSpecification = {
  behaviour: 'honest',
  tokensPerSecond: 120,
  models: LOCALNET_MODELS,
}

/** Serves the chain, the engines or both in this process until the signal aborts. */
export async function serveParts(settings: PartsSettings, deps: PartsDeps): Promise<void> {
  const names = hotkeyNames(
    castWith(cheatsWith(settings.cheats, settings.hub), settings.miners),
    settings.hub,
  )
  const folder = await openFolder(settings.dir)
  const closers: (() => Promise<void>)[] = [() => folder.release()]
  try {
    const urls: { chain?: string; engine?: string } = {}
    if (settings.only.includes('chain')) {
      await seedFolder(folder.path, settings.seed, names)
      const chain = await startSubnetChain(settings, names, deps)
      closers.push(() => chain.close())
      urls.chain = chain.url
      deps.onEndpoint({ kind: 'chain', url: chain.url, wallets: walletsFolder(folder.path) })
    }
    if (settings.only.includes('engine')) {
      for (const { url, models, behaviour } of await startEngines(settings, deps, closers)) {
        urls.engine ??= url
        deps.onEndpoint({ kind: 'engine', url, models, behaviour })
      }
    }
    if (urls.chain && urls.engine)
      noteCommands(deps, {
        program: deps.program,
        folder: settings.dir ?? folder.path,
        chainUrl: urls.chain,
        engineUrl: urls.engine,
        epochBlocks: settings['chain.tempo'],
      })
    deps.onNote('Press Ctrl-C to stop.')
    await whenAborted(deps.signal)
  } finally {
    for (const close of closers.reverse()) await close()
  }
}

function noteCommands(deps: PartsDeps, options: RoleCommandOptions): void {
  deps.onNote('Run a miner, a validator and a query against them, each in a terminal of its own:')
  for (const command of roleCommands(options)) deps.onNote(`\n${command}`)
  deps.onNote('')
}

/** The development chain with every member of the cast registered; validator and hub have stake, the validator a permit. */
async function startSubnetChain(
  settings: PartsSettings,
  names: readonly string[],
  deps: PartsDeps,
): Promise<DevelopmentChain> {
  await initSr25519()
  const publicKeyOf = (name: string) => pairFromSeed(deriveSecret(settings.seed, name)).publicKey
  const coldkey = publicKeyOf(COLDKEY_NAME)
  return await startDevelopmentChain(
    {
      port: settings['chain.port'] ?? CHAIN_PORT,
      tempo: settings['chain.tempo'],
      blockTimeMs: settings['chain.block-time'],
      specVersion: SPEC_VERSION,
      allowLoopbackAxon: true,
      neurons: names.map((name) => ({
        hotkey: publicKeyOf(name),
        coldkey,
        stakeTao: STAKES_TAO[name] ?? 0,
        validatorPermit: name === VALIDATOR_NAME,
      })),
    },
    { onError: (error) => deps.onNote(`Block production failed: ${messageOf(error)}`) },
  )
}

async function startEngines(
  settings: LocalnetSettings,
  deps: PartsDeps,
  closers: (() => Promise<void>)[],
): Promise<DevelopmentEngine[]> {
  const given = settings['engine.serve'].map(parseEngineSpecification)
  const firstPort = settings['engine.port'] ?? ENGINE_PORT
  const engines: DevelopmentEngine[] = []
  for (const [index, specification] of (given.length > 0 ? given : [DEFAULT_ENGINE]).entries()) {
    const { tokensPerSecond, ...rest } = specification
    const port = firstPort === 0 ? 0 : firstPort + index
    // the options the miner's documentation tells operators to start vLLM with
    const options = { ...rest, port, returnTokensAsTokenIds: true, maxLogprobs: 32 }
    const paced = tokensPerSecond === undefined ? options : { ...options, tokensPerSecond }
    const engine = await startDevelopmentEngine(paced, { clock: deps.clock })
    closers.push(() => engine.close())
    engines.push(engine)
  }
  return engines
}
