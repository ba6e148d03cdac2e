export type { Role, Setting, SettingGroup } from './setting.js'
export {
  type LocalnetSettings,
  type MinerSettings,
  type NodeSettings,
  type SettingName,
  type SettingsOf,
  type SettingValue,
  settingNames,
  settings,
  type ValidatorSettings,
} from './settings/index.js'
