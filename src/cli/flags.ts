import { Flags, type Interfaces } from '@oclif/core'
import {
  defaultFor,
  formatValue,
  type Role,
  type Setting,
  type SettingName,
  settingNames,
  settings,
  variableOf,
} from '../config/index.js'

/** A switch may be negated by `--no-…` unless its own name is a negation already. */
function isNegatable(name: string): boolean {
  return !name.startsWith('no-') && !name.startsWith('no_') && !name.endsWith('-off')
}

/**
 * The flags of a role, or some of them, from the table of settings. They carry no oclif default: default and given value would look
 * alike, and a config file could not come between; the default is shown in the help only.
 */
export function flagsOf(role: Role, only?: readonly SettingName[]): Interfaces.FlagInput {
  const names = only ?? settingNames(role)
  return Object.fromEntries(names.map((name) => [name, flagOf(name, role)]))
}

function flagOf(name: SettingName, role: Role) {
  const entry: Setting = settings[name]
  const summary = entry.helpOf?.[role] ?? entry.help
  const common = {
    summary,
    helpGroup: entry.helpOf?.[role] === undefined ? entry.group : role.toUpperCase(),
    env: variableOf(name),
    hidden: entry.hidden ?? false,
  }
  if (entry.kind === 'switch') {
    const state = entry.default === true ? ' [default: on]' : ''
    return Flags.boolean({ ...common, summary: summary + state, allowNo: isNegatable(name) })
  }
  const shown = formatValue(name, defaultFor(entry, role))
  const text = {
    ...common,
    helpValue: entry.options ? `<${entry.options.join('|')}>` : `<${entry.kind}>`,
    ...(shown === '(none)' ? {} : { defaultHelp: async () => shown.replace(/^\((.*)\)$/, '$1') }),
  }
  return entry.kind === 'list'
    ? Flags.custom<string[]>({ ...text, multiple: true, multipleNonGreedy: true })()
    : Flags.custom<string>(text)()
}

/**
 * The same flags without their variables and defaults: oclif then parses the command line alone, and config/ reads
 * the variables with their origin (oclif would take `TARGON_X=banana` for false).
 */
export function commandLineOnly(flags: Interfaces.FlagInput): Interfaces.FlagInput {
  return Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => {
      const bare = { ...flag }
      delete bare.env
      if ('defaultHelp' in bare) delete bare.defaultHelp
      return [name, bare]
    }),
  )
}
