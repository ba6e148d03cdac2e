import { type HubSettings, settingNames, settings } from '../../src/config/index.js'

/** The default settings of a hub on loopback and free ports, with the test's changes. */
export function hubSettingsOf(changes: Partial<HubSettings> = {}): HubSettings {
  const defaults = Object.fromEntries(settingNames('hub').map((name) => [name, settings[name].default]))
  return {
    ...(defaults as HubSettings),
    'hub.port': 0,
    'metrics.port': 0,
    'allow-private-axons': true,
    seed: 'hub',
    ...changes,
  }
}
