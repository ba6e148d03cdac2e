import type { Role } from '../setting.js'
import { type SettingName, settings } from './index.js'

/** The settings of neurons that most operators change, in the order in which help and README show them. */
export const FIRST_OF_NEURONS: readonly SettingName[] = [
  'wallet.name',
  'wallet.hotkey',
  'subtensor.network',
  'subtensor.chain_endpoint',
  'axon.port',
  'axon.external_ip',
  'model-endpoint',
  'api-key',
  'engine.endpoints',
  'models.mode',
  'metrics.port',
  'autoupdate-off',
  'logging.level',
]

const FIRST_OF_CLIENTS: Readonly<Partial<Record<Role, readonly SettingName[]>>> = {
  query: ['model', 'uid', 'hotkey', 'axon', 'system', 'max-tokens', 'temperature', 'verify'],
  hub: ['hub.port', 'hub.ip', 'hub.tls-cert', 'hub.tls-key', 'database.url', 'hub.max-tokens', 'hub.retain'],
  localnet: ['epochs', 'cheats', 'only', 'dir', 'chain.block-time', 'chain.tempo'],
}

/** The settings that `--help` shows; the others follow with `--help-all`. */
export function firstSettings(role: Role): readonly SettingName[] {
  const shared = FIRST_OF_NEURONS.filter((name) => settings[name].roles.includes(role))
  return [...(FIRST_OF_CLIENTS[role] ?? []), ...shared]
}
