import type { Origin, Setting } from '../config/index.js'

type RoleName = 'miner' | 'validator'

/**
 * The role for which this folder is configured: the one whose own settings are given, and those of the other are not.
 *
 * @param given origins of the settings of both roles
 * @returns undefined when settings of both or of neither are given
 */
export function configuredRole(
  given: Readonly<Record<RoleName, Readonly<Record<string, Origin>>>>,
  settings: Readonly<Record<string, Setting>>,
): RoleName | undefined {
  const hasOwn = (role: RoleName) => {
    const other: RoleName = role === 'miner' ? 'validator' : 'miner'
    return Object.entries(given[role]).some(([name, { kind }]) => {
      const entry = settings[name]
      if (kind === 'default' || !entry) return false
      // Those that the other role accepts and ignores stand in the commands of 4.x.
      return !entry.roles.includes(other) && !entry.ignoredBy?.includes(other)
    })
  }
  const isMiner = hasOwn('miner')
  return isMiner === hasOwn('validator') ? undefined : isMiner ? 'miner' : 'validator'
}
