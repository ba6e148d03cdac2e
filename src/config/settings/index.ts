import type { z } from 'zod'
import type { Role } from '../setting.js'
import { localnetSettings } from './localnet.js'
import { minerSettings } from './miner.js'
import { nodeSettings } from './node.js'
import { validatorSettings } from './validator.js'

/** Every setting by the name of its flag. */
export const settings = { ...nodeSettings, ...minerSettings, ...validatorSettings, ...localnetSettings } as const

export type SettingName = keyof typeof settings

export type SettingValue<N extends SettingName> = z.output<(typeof settings)[N]['schema']>

/** Resolved values by flag name, e.g. `settings['axon.port']`. */
export type SettingsOf<N extends SettingName> = { readonly [K in N]: SettingValue<K> }

export type NodeSettings = SettingsOf<keyof typeof nodeSettings>
export type MinerSettings = NodeSettings & SettingsOf<keyof typeof minerSettings>
export type LocalnetSettings = SettingsOf<keyof typeof localnetSettings | 'seed' | 'exit-with-stdin'>
export type ValidatorSettings = NodeSettings & SettingsOf<keyof typeof validatorSettings>

export function settingNames(role: Role): SettingName[] {
  return (Object.keys(settings) as SettingName[]).filter((name) => settings[name].roles.includes(role))
}
