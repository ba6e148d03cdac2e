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

/** Characters of allowed words beside the name of a flag; more would leave no room for its description. */
const LONGEST_OPTIONS = 24

/** A switch accepts `--no-…` unless its name is already a negation. */
function isNegatable(name: string): boolean {
  return !name.startsWith('no-') && !name.startsWith('no_') && !name.endsWith('-off')
}

/**
 * The flags of a role, or some of them, from the settings table. They have no oclif default, which would be
 * indistinguishable from a typed value and override the config file; help shows the default as text.
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
  const options = entry.options?.join('|') ?? ''
  const isBrief = options !== '' && options.length <= LONGEST_OPTIONS
  const text = {
    ...common,
    helpValue: `<${isBrief ? options : entry.kind}>`,
    ...(options === '' || isBrief ? {} : { summary: `${summary} One of ${entry.options?.join(', ')}.` }),
    ...(shown === '(none)' ? {} : { defaultHelp: async () => shown.replace(/^\((.*)\)$/, '$1') }),
  }
  return entry.kind === 'list'
    ? Flags.custom<string[]>({ ...text, multiple: true, multipleNonGreedy: true })()
    : Flags.custom<string>(text)()
}

/**
 * The flags without variables and defaults, so that oclif parses only the command line. Variables are read by config/,
 * which validates them (oclif would read `TARGON_X=banana` as false).
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
