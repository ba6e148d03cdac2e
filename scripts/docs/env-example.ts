import {
  formatDefault,
  formatValue,
  type Role,
  type Setting,
  type SettingName,
  settings,
  variableOf,
} from '../../src/config/index.js'

const INTRO = `# Settings of targon as environment variables. Copy this file to .env and take the # away from the lines you change;
# unchanged it changes nothing. A flag beats the environment, the environment beats .env, .env beats
# targon.config.json, and that beats the defaults below. See what applies with: targon miner start --print-config`

/** `.env.example`: every setting that is not hidden, commented out, with its default. */
export function renderEnvExample(): string {
  const groups = new Map<string, string[]>()
  for (const name of Object.keys(settings) as SettingName[]) {
    const entry: Setting = settings[name]
    if (entry.hidden) continue
    const lines = groups.get(entry.group) ?? []
    lines.push(...describe(name, entry), `#${variableOf(name)}=${exampleValue(name, entry)}`, '#')
    groups.set(entry.group, lines)
  }
  const sections = [...groups].map(([group, lines]) => [`# ---- ${group}`, '#', ...lines].join('\n'))
  return `${[INTRO, ...sections].join('\n#\n')}\n`
}

function describe(name: SettingName, entry: Setting): string[] {
  const also = [
    ...(entry.variables ?? []),
    ...(entry.inverseVariables ?? []).map((v) => `${v} (the opposite)`),
  ]
  const shown = formatValue(name, entry.default)
  const meaning = entry.defaultOf ? formatDefault(name) : /^\((.*)\)$/.exec(shown)?.[1]
  return [
    `# ${entry.help}`,
    `#   flag --${name}; ${roles(entry.roles)}${also.length > 0 ? `; also read from ${also.join(', ')}` : ''}${
      meaning && meaning !== 'none' ? `; default: ${meaning}` : ''
    }`,
  ]
}

function roles(names: readonly Role[]): string {
  return `used by ${names.join(', ')}`
}

/** The default as it would be typed; empty when the default is "nothing given". */
function exampleValue(name: SettingName, entry: Setting): string {
  const shown = formatValue(name, entry.default)
  if (entry.defaultOf || /^\(.*\)$/.test(shown)) return ''
  return /[\s#"']/.test(shown) ? JSON.stringify(shown) : shown
}
