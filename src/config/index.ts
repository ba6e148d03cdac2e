/**
 * The settings: one table of flags, variables and config-file keys, resolved with the origin of each value.
 *
 * Tests named after a behaviour: documents.test.ts (setting.ts, settings/node.ts, settings/miner.ts, settings/routing.ts,
 * settings/validator.ts, settings/round.ts, settings/engine.ts, settings/evidence.ts, settings/hub.ts, settings/localnet.ts),
 * paths.test.ts (resolve-path.ts), misspelling.property.test.ts (suggestion.ts), resolve.test.ts (schemas.ts),
 * config-file.test.ts (config-document.ts, yaml-document.ts).
 */

export { inheritableEnvironment, passwordVariables } from './environment.js'
export { describeOrigin, type Origin } from './origin.js'
export {
  formatBareValue,
  formatDefault,
  formatValue,
  type PrintedSetting,
  printSettings,
} from './print-settings.js'
export { readSources, type SourceFiles, sourceFiles } from './read-sources.js'
export {
  isGiven,
  type Resolved,
  resolveSettings,
  type SettingSources,
  type ShadowedSetting,
} from './resolve.js'
export { defaultFor, type Role, type Setting, type SettingGroup } from './setting.js'
export { FIRST_OF_NEURONS, firstSettings } from './settings/first.js'
export {
  type AlertSettings,
  type HubSettings,
  type LocalnetSettings,
  type MinerCheckSettings,
  type MinerSettings,
  type NodeSettings,
  type QuerySettings,
  type RoleSettings,
  type ServerSettings,
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
