import {
  formatBareValue,
  formatDefault,
  type Setting,
  type SettingName,
  settings,
  variableOf,
} from '../../src/config/index.js'

const INTRO = `# Settings of targon as environment variables, with their defaults. Copy this file to .env and uncomment the lines you
# change. Precedence: flag > environment > .env > config file > default. To see the values in effect, run:
# targon miner start --print-config
# Durations may be typed with a unit (500ms, 8s, 2m, 1h, 1d); a bare number is in the unit given for the setting.`

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
    ...(entry.inverseVariables ?? []).map((variable) => `${variable} (opposite)`),
  ]
  const shown = formatBareValue(name, entry.default)
  const meaning = entry.defaultOf ? formatDefault(name) : /^\((.*)\)$/.exec(shown)?.[1]
  const facts = [
    `flag --${name}`,
    `used by ${entry.roles.join(', ')}`,
    ...(entry.unit ? [`unit: ${entry.unit}`] : []),
    ...(also.length > 0 ? [`also read from ${also.join(', ')}`] : []),
    ...(meaning && meaning !== 'none' ? [`default: ${meaning}`] : []),
  ]
  return [`# ${entry.help}`, `#   ${facts.join('; ')}`]
}

/** The default as it can be typed; empty if there is none. */
function exampleValue(name: SettingName, entry: Setting): string {
  const shown = formatBareValue(name, entry.default)
  if (entry.defaultOf || /^\(.*\)$/.test(shown)) return ''
  return /[\s#"']/.test(shown) ? JSON.stringify(shown) : shown
}
