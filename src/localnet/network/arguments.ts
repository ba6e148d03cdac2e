import { type CastMember, HUB_NAME, LOCALNET_MODELS, VALIDATOR_NAME, WALLET_NAME } from './cast.js'
import { type EngineSpecification, formatEngineSpecification } from './engine-specification.js'
import { walletsFolder } from './folders.js'

/** Where the parts of a running network are: all that a role needs to find the others. */
export interface NetworkPlaces {
  readonly folder: string
  readonly chainUrl: string
  /** Base URL of the validator's reference engine, without `/v1`. */
  readonly referenceUrl: string
}

/** Short answers, so that every miner gets several verdicts in an epoch of half a minute. */
const ANSWER_TOKENS = '96-192'
/** Idle time between rounds, which leaves a small machine room for its other processes. */
const ROUND_PAUSE_MS = 250

function nodeArguments(places: NetworkPlaces, hotkey: string): string[] {
  return [
    ...['--subtensor.network', 'local', '--subtensor.chain_endpoint', places.chainUrl],
    ...['--wallet.path', walletsFolder(places.folder), ...stateArguments(places, hotkey)],
    ...['--metrics.port', '0'],
  ]
}

/** Where a node keeps its state. */
function stateArguments({ folder }: NetworkPlaces, hotkey: string): string[] {
  return [
    ...['--wallet.name', WALLET_NAME, '--wallet.hotkey', hotkey],
    ...['--logging.logging_dir', `${folder}/neurons`],
  ]
}

/** `targon miner start` for one member of the cast. */
export function minerArguments(places: NetworkPlaces, member: CastMember, engineUrl: string): string[] {
  return [
    'miner',
    'start',
    ...nodeArguments(places, member.name),
    ...['--axon.ip', '127.0.0.1', '--axon.port', '0', '--axon.external_ip', '127.0.0.1'],
    ...['--model-endpoint', `${engineUrl}/v1`],
  ]
}

/** `targon hub start` for the localnet: buckets, like epochs, end within half a minute. */
export function hubArguments(places: NetworkPlaces, seed: string, port = 0): string[] {
  return [
    ...['hub', 'start', ...nodeArguments(places, HUB_NAME)],
    ...['--hub.ip', '127.0.0.1', '--hub.port', String(port), '--hub.refresh', '5', '--hub.bucket-age', '15'],
    ...['--seed', seed, '--allow-private-axons'],
  ]
}

/** `targon hub keys create` for the users of the localnet. */
export function hubKeyArguments(places: NetworkPlaces): string[] {
  return ['hub', 'keys', 'create', 'localnet users', ...stateArguments(places, HUB_NAME), '--json']
}

export interface ValidatorPlan {
  readonly seed: string
  readonly epochBlocks: number
  /** Address of the hub's API; undefined: there is none. */
  readonly hubUrl?: string | undefined
}

/** `targon validator start` for the localnet. */
export function validatorArguments(places: NetworkPlaces, plan: ValidatorPlan): string[] {
  return [
    'validator',
    'start',
    ...nodeArguments(places, VALIDATOR_NAME),
    ...['--models.mode', 'config', '--models.file', `${places.folder}/models.txt`],
    ...LOCALNET_MODELS.flatMap((model) => ['--engine.endpoints', `${model}=${places.referenceUrl}/v1`]),
    ...['--engine.hub-url', places.referenceUrl],
    ...['--epoch-length', String(plan.epochBlocks), '--seed', plan.seed],
    ...[
      '--round.models',
      'in-turn',
      '--round.max-tokens',
      ANSWER_TOKENS,
      '--round.pause',
      String(ROUND_PAUSE_MS),
    ],
    // one machine is its own reference, so that the floors for other hardware need no calibration
    ...['--evidence.mode', 'enforce'],
    // a small machine that runs everything stalls now and then; no money depends on these verdicts
    ...['--round.stall-limit', '1000'],
    // the hub is this network's own, so that what it reports may bar a miner
    ...['--hub.url', plan.hubUrl ?? 'off'],
    ...(plan.hubUrl === undefined ? [] : ['--evidence.organics', 'count']),
    ...['--dataset.url', 'off', '--allow-private-axons', '--autoupdate-off', '--i-am-alone'],
  ]
}

/** `targon localnet --only chain`. */
export function chainArguments(plan: {
  readonly folder: string
  readonly port: number
  readonly seed: string
  readonly blockTimeMs: number
  readonly epochBlocks: number
  readonly cheats: readonly string[]
  readonly miners: readonly string[]
  readonly hub: boolean
}): string[] {
  return [
    ...['localnet', '--only', 'chain', '--dir', plan.folder, '--chain.port', String(plan.port)],
    ...plan.cheats.flatMap((cheat) => ['--cheats', cheat]),
    ...plan.miners.flatMap((miner) => ['--miners', miner]),
    ...(plan.hub ? ['--hub'] : []),
    ...[
      '--chain.block-time',
      String(plan.blockTimeMs),
      '--chain.tempo',
      String(plan.epochBlocks),
      '--seed',
      plan.seed,
    ],
  ]
}

/** `targon localnet --only engine` with one engine per specification. */
export function engineArguments(folder: string, engines: readonly EngineSpecification[]): string[] {
  return [
    ...['localnet', '--only', 'engine', '--dir', folder, '--engine.port', '0'],
    ...engines.flatMap((engine) => ['--engine.serve', formatEngineSpecification(engine)]),
  ]
}
