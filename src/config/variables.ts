import { TargonError } from '../kernel/index.js'
import { describeOrigin, type Origin } from './origin.js'
import type { Setting } from './setting.js'
import { type SettingName, settings } from './settings/index.js'
import { suggestName } from './suggestion.js'

/** An unknown variable with this prefix is refused as a misspelling. */
const PREFIX = 'TARGON_'

/** `wallet.name` → `TARGON_WALLET_NAME`. */
export function variableOf(name: string): string {
  return PREFIX + name.replaceAll(/[.-]/g, '_').toUpperCase()
}

/** Variables with our prefix that are not settings: the two file variables, tests, and those oclif reads. */
export const OTHER_VARIABLES = [
  'TARGON_CONFIG',
  'TARGON_ENV_FILE',
  'TARGON_CONFORMANCE_DIR',
  'TARGON_VLLM_CACHE',
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

/** A variable a setting can be read from. */
export interface VariableReading {
  readonly variable: string
  readonly inverse: boolean
  readonly deprecated: boolean
}

/** Variables a setting can be read from, strongest first. */
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
 * Kubernetes sets variables for each service of the namespace in every container; those of a service called
 * `targon-…` have our prefix.
 */
function isServiceLink(variable: string, value: string): boolean {
  return (
    /_SERVICE_(HOST|PORT)(_|$)/.test(variable) ||
    /_PORT_\d+_(TCP|UDP|SCTP)(_|$)/.test(variable) ||
    /^(tcp|udp|sctp):\/\//.test(value)
  )
}

const sdkVariables: ReadonlySet<string> = new Set(
  names.flatMap((name) => readingsOf(name).map(({ variable }) => variable)),
)

/** Variables with the prefix of the Python SDK that no setting is read from. `BT_PW_…` are passwords of key files. */
export function unknownSdkVariables(values: Iterable<readonly [variable: string, value: string]>): string[] {
  return [...values].flatMap(([variable, value]) => {
    const isKnown = sdkVariables.has(variable) || variable.startsWith('BT_PW_')
    return variable.startsWith('BT_') && !isKnown && !isServiceLink(variable, value) ? [variable] : []
  })
}

/** @throws TargonError CONFIG_UNKNOWN_VARIABLE for an unknown variable with our prefix. */
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
      next: suggestion ? `Did you mean ${suggestion}?` : 'Remove it, or check the name in .env.example.',
      facts: { variable, suggestion },
    })
  }
}
