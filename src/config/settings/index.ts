/** The table of settings, by role: names, types, defaults, descriptions. */

import type { z } from 'zod'
import type { Role } from '../setting.js'
import { alertSettings } from './alert.js'
import { hubSettings } from './hub.js'
import { localnetSettings } from './localnet.js'
import { minerSettings } from './miner.js'
import { nodeSettings } from './node.js'
import { querySettings } from './query.js'
import { updateSettings } from './update.js'
import { validatorSettings } from './validator.js'

/** Every setting, by flag name. */
export const settings = {
  ...nodeSettings,
  ...minerSettings,
  ...validatorSettings,
  ...querySettings,
  ...hubSettings,
  ...updateSettings,
  ...alertSettings,
  ...localnetSettings,
} as const

export type SettingName = keyof typeof settings

export type SettingValue<N extends SettingName> = z.output<(typeof settings)[N]['schema']>

/** Resolved values by flag name, e.g. `settings['axon.port']`. */
export type SettingsOf<N extends SettingName> = { readonly [K in N]: SettingValue<K> }

export type NodeSettings = SettingsOf<keyof typeof nodeSettings>
export type UpdateSettings = SettingsOf<keyof typeof updateSettings>
export type AlertSettings = SettingsOf<keyof typeof alertSettings>
export type MinerSettings = NodeSettings &
  UpdateSettings &
  AlertSettings &
  SettingsOf<keyof typeof minerSettings>
export type LocalnetSettings = SettingsOf<keyof typeof localnetSettings | 'seed' | 'exit-with-stdin'>
export type ValidatorSettings = NodeSettings &
  UpdateSettings &
  AlertSettings &
  SettingsOf<keyof typeof validatorSettings>

/** Settings that `query` shares with the neurons. */
type SharedWithQuery =
  | 'netuid'
  | `subtensor.${'network' | 'chain_endpoint' | 'fallback_endpoints'}`
  | `wallet.${'name' | 'hotkey' | 'path' | 'password_file'}`
  | `engine.${'endpoints' | 'api-key' | 'hub-url' | 'model-dir'}`
  | `logging.${'level' | 'debug' | 'trace' | 'info'}`
  | `verification.${'rules' | 'burst'}`
  | 'allow-private-axons'
  | 'seed'

export type QuerySettings = SettingsOf<keyof typeof querySettings | SharedWithQuery>

/** What miner, validator and hub have in common. The hub has no switches of 4.x that do nothing. */
export type ServerSettings = Omit<NodeSettings, 'strict' | 'no_version_checking'> &
  UpdateSettings &
  AlertSettings

export type HubSettings = ServerSettings &
  SettingsOf<keyof typeof hubSettings | 'autoupdate' | 'database.url' | 'allow-private-axons' | 'seed'>

/** Settings of the miner's model servers, of the engines they are compared with, and of the output. */
export type MinerCheckSettings = SettingsOf<
  | 'model-endpoint'
  | 'api-key'
  | 'upstreams'
  | `routing.${'max-in-flight' | 'add-token-ids' | 'ask-health'}`
  | `engine.${'api-key' | 'hub-url' | 'hub-token' | 'model-dir'}`
  | `logging.${'level' | 'debug' | 'trace' | 'info'}`
  | 'seed'
>

/** Settings of the engine with which a bundle is verified, and of the output. */
type VerifySettings = SettingsOf<
  | `engine.${'endpoints' | 'api-key' | 'hub-url' | 'hub-token' | 'model-dir'}`
  | `logging.${'level' | 'debug' | 'trace' | 'info'}`
>

/** The resolved settings of each role. */
export interface RoleSettings {
  miner: MinerSettings
  'miner check': MinerCheckSettings
  validator: ValidatorSettings
  verify: VerifySettings
  query: QuerySettings
  hub: HubSettings
  update: UpdateSettings
  localnet: LocalnetSettings
}

export function settingNames(role: Role): SettingName[] {
  return (Object.keys(settings) as SettingName[]).filter((name) => settings[name].roles.includes(role))
}
