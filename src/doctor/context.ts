import type {
  HubSettings,
  MinerSettings,
  ServerSettings,
  ShadowedSetting,
  ValidatorSettings,
} from '../config/index.js'
import type { Clock, Log } from '../kernel/index.js'
import type { Signer } from '../wallet/index.js'
import type { Seen } from './finding.js'
import type { Machine } from './machine.js'

/** What miners, validators and hubs all have. */
export type CommonSettings = ServerSettings

/** What the command line found out while it read the settings. */
export interface SettingsReading {
  /** Sentences about deprecated spellings, settings without effect and exposed secrets. */
  readonly warnings: readonly string[]
  readonly shadowed: readonly ShadowedSetting[]
  /** How many settings are not at their default. */
  readonly given: number
  /** The network was named, so the endpoints must have its genesis. */
  readonly isNetworkGiven: boolean
}

/** Where the files of a model come from. */
export interface ModelFileSource {
  readonly hubUrl: string
  readonly hubToken?: string | undefined
  readonly modelDir?: string | undefined
}

/** What the checks of a neuron look at. They change nothing on disk or chain. */
export interface Context<Settings extends CommonSettings = CommonSettings> {
  readonly settings: Settings
  readonly reading: SettingsReading
  /** Folder of the neuron's state, which may not exist yet; undefined when the role is unknown. */
  readonly stateDir: string | undefined
  readonly modelFiles: ModelFileSource
  /** Loads the hotkey, once; may ask for its password. @throws TargonError WALLET_* */
  readonly loadHotkey: () => Promise<Signer>
  readonly machine: Machine
  /** Of this process, for the updater. */
  readonly surroundings: {
    readonly node: { readonly version: string; readonly path: string }
    readonly env: Readonly<Record<string, string>>
  }
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** What a check of the machine alone looks at, also when the settings cannot be read. */
export type MachineContext = Pick<Context, 'machine' | 'clock' | 'signal'>
export type MinerContext = Context<MinerSettings>
export type ValidatorContext = Context<ValidatorSettings>
export type HubContext = Context<HubSettings>

/** One question about a neuron's surroundings. */
export interface Check<C extends MachineContext = Context> {
  /** Stable, printed in front of what it saw. */
  readonly id: string
  /** What it waits for, when it takes too long. */
  readonly title: string
  /** Default: 30 s. */
  readonly deadlineMs?: number
  /**
   * @returns one finding per thing seen; none where the question does not arise
   * @throws TargonError, which counts as `fail`
   */
  run(context: C, signal: AbortSignal): Promise<readonly Seen[]>
}
