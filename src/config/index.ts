export { inheritableEnvironment } from './inheritable-environment.js'
export { describeOrigin, type Origin } from './origin.js'
export { passwordVariables } from './password-variables.js'
export { formatDefault, formatValue, type PrintedSetting, printSettings } from './print-settings.js'
export { readSources, type SourceFiles, sourceFiles } from './read-sources.js'
export { isGiven, type Resolved, resolveSettings, type SettingSources } from './resolve.js'
export { defaultFor, type Role, type Setting, type SettingGroup } from './setting.js'
export {
  type LocalnetSettings,
  type MinerSettings,
  type NodeSettings,
  type QuerySettings,
  type RoleSettings,
  type SettingName,
  type SettingsOf,
  type SettingValue,
  settingNames,
  settings,
  type UpdateSettings,
  type ValidatorSettings,
} from './settings/index.js'
export { suggestName } from './suggestion.js'
export { variableOf } from './variables.js'
