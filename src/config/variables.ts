import { TargonError } from '../kernel/index.js'
import { describeOrigin, type Origin } from './origin.js'
import type { Setting } from './setting.js'
import { type SettingName, settings } from './settings/index.js'
import { suggestName } from './suggestion.js'

/** Our prefix: a variable that starts with it and has no meaning is a misspelling. */
const PREFIX = 'TARGON_'

/** `wallet.name` → `TARGON_WALLET_NAME`. */
export function variableOf(name: string): string {
  return PREFIX + name.replaceAll(/[.-]/g, '_').toUpperCase()
}

/** Variables with our prefix that are no settings: the two files, tests, and what oclif reads itself. */
export const OTHER_VARIABLES = [
  'TARGON_CONFIG',
  'TARGON_ENV_FILE',
  'TARGON_CONFORMANCE_DIR',
  'TARGON_LIVE',
  'TARGON_CONTENT_TYPE',
  'TARGON_REDIRECTED',
  'TARGON_CACHE_DIR',
  'TARGON_CONFIG_DIR',
  'TARGON_DATA_DIR',
  'TARGON_DEBUG',
  'TARGON_DISABLE_THEME',
  'TARGON_BINPATH',
] as const

const names = Object.keys(settings) as SettingName[]

const known: ReadonlySet<string> = new Set([...names.map(variableOf), ...OTHER_VARIABLES])

/** What one variable says about a setting. */
export interface VariableReading {
  readonly variable: string
  readonly inverse: boolean
  readonly deprecated: boolean
}

/** Variables that may hold a setting, the strongest first. */
export function readingsOf(name: SettingName): VariableReading[] {
  const entry: Setting = settings[name]
  const plain = [variableOf(name), ...(entry.variables ?? [])]
  return [
    ...plain.map((variable) => ({ variable, inverse: false, deprecated: false })),
    ...(entry.deprecatedVariables ?? []).map((variable) => ({ variable, inverse: false, deprecated: true })),
    ...(entry.inverseVariables ?? []).map((variable) => ({ variable, inverse: true, deprecated: false })),
  ]
}

/**
 * Kubernetes gives every container variables for each service of its namespace; a service called `targon-…` makes
 * names with our prefix that nobody typed.
 */
function isServiceLink(variable: string, value: string): boolean {
  return (
    /_SERVICE_(HOST|PORT)(_|$)/.test(variable) ||
    /_PORT_\d+_(TCP|UDP|SCTP)(_|$)/.test(variable) ||
    /^(tcp|udp|sctp):\/\//.test(value)
  )
}

/** @throws TargonError CONFIG_UNKNOWN_VARIABLE for a variable with our prefix that means nothing. */
export function refuseUnknownVariables(
  values: Iterable<readonly [variable: string, value: string]>,
  originOf: (variable: string) => Origin,
): void {
  for (const [variable, value] of values) {
    if (!variable.startsWith(PREFIX) || known.has(variable)) continue
    if (variable.startsWith('TARGON_TEST_') || isServiceLink(variable, value)) continue
    const suggestion = suggestName(variable, known)
    throw new TargonError(`Unknown variable ${describeOrigin(originOf(variable))}.`, {
      code: 'CONFIG_UNKNOWN_VARIABLE',
      fault: 'usage',
      next: suggestion ? `Did you mean ${suggestion}?` : 'Remove it, or look up the name in .env.example.',
      facts: { variable, suggestion },
    })
  }
}
