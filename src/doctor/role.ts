import type { Origin, Setting } from '../config/index.js'

const ROLES = ['miner', 'validator', 'hub'] as const

type RoleName = (typeof ROLES)[number]

/**
 * The role for which this folder is configured: the only one that has all of the given settings that not every role has.
 *
 * @param given origins of the settings of each role
 * @returns undefined when the settings fit several roles, or none
 */
export function configuredRole(
  given: Readonly<Record<RoleName, Readonly<Record<string, Origin>>>>,
  settings: Readonly<Record<string, Setting>>,
): RoleName | undefined {
  const named = ROLES.flatMap((role) =>
    Object.entries(given[role]).flatMap(([name, { kind }]) => (kind === 'default' ? [] : [name])),
  )
  const fitting = ROLES.filter((role) => named.every((name) => isOf(role, settings[name])))
  return fitting.length === 1 ? fitting[0] : undefined
}

/** Those that a role accepts and ignores stand in the commands of 4.x. */
function isOf(role: RoleName, entry: Setting | undefined): boolean {
  return entry === undefined || entry.roles.includes(role) || entry.ignoredBy?.includes(role) === true
}
