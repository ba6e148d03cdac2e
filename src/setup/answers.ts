import type { RoleSettings, SettingName } from '../config/index.js'
import type { FoundHotkey } from '../wallet/index.js'
import type { Asker } from './asker.js'
import type { ProbedModels } from './probe-models.js'

export type Neuron = 'miner' | 'validator' | 'hub'

/** A value as a settings file has it. */
export type Answer = string | number | boolean | readonly string[] | readonly object[]

/** Answers by setting, in the order of the file. */
export type Answers = Map<SettingName, Answer>

/** What the command line and the environment answer already. */
export interface Given<R extends Neuron = Neuron> {
  readonly role: R
  /** Resolved, so that those not given have their defaults. */
  readonly settings: RoleSettings[R]
  /** Whether a flag or a variable names the setting. */
  readonly has: (name: SettingName) => boolean
}

/** What the questions look at. */
export interface SetupDeps {
  readonly asker: Asker
  readonly findHotkeys: (walletsPath: string) => Promise<readonly FoundHotkey[]>
  readonly probeModels: (url: string, apiKey: string | undefined) => Promise<ProbedModels>
}
