import { dropForeignEndpoints, type VariableLayer, withOneFamily } from './chain-variables.js'
import type { ConfigFile } from './config-document.js'
import { parseConfigFile } from './config-file.js'
import { type EnvFile, parseEnvFile } from './env-file.js'
import { settleLogLevel } from './log-level.js'
import { describeOrigin, type Origin } from './origin.js'
import { parseValue } from './parse-value.js'
import { placePath } from './resolve-path.js'
import { defaultFor, type Role, type Setting } from './setting.js'
import { type RoleSettings, type SettingName, settingNames, settings } from './settings/index.js'
import { readingsOf, refuseUnknownVariables, unknownSdkVariables, variableOf } from './variables.js'

/** All sources of settings, strongest first. Nothing is read from the process itself. */
export interface SettingSources {
  /** By setting name: raw text, a list of texts, or a boolean for a switch. */
  readonly flags: Readonly<Record<string, string | boolean | readonly string[]>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** `.env` files, strongest first. */
  readonly dotenvFiles?: readonly EnvFile[]
  readonly configFile?: ConfigFile | undefined
}

export interface Resolved<R extends keyof RoleSettings> {
  readonly values: RoleSettings[R]
  readonly origins: Readonly<Record<string, Origin>>
  /** One sentence each. */
  readonly warnings: readonly string[]
  /** Settings that a weaker source sets to something else. */
  readonly shadowed: readonly ShadowedSetting[]
}

/** A value without effect, because a stronger source sets the same setting. */
export interface ShadowedSetting {
  readonly name: string
  readonly used: Origin
  readonly ignored: Origin
}

/** Whether a source other than the default set the setting. */
export function isGiven(
  { origins }: Pick<Resolved<keyof RoleSettings>, 'origins'>,
  name: SettingName,
): boolean {
  const origin = origins[name]
  return origin !== undefined && origin.kind !== 'default'
}

/** The value of one source for one setting. */
interface Candidate {
  readonly raw: unknown
  readonly origin: Origin
  readonly inverse: boolean
  readonly deprecated: boolean
}

type Lookup = (name: SettingName) => Candidate[]

/**
 * Resolves the settings of a role, each with its origin: flag > environment > `.env` > config file > default. An empty
 * variable counts as unset.
 *
 * @param warnings where the warnings go; after an error it has those found so far.
 * @throws TargonError (fault usage) CONFIG_UNKNOWN_VARIABLE, CONFIG_UNKNOWN_KEY, CONFIG_FILE_SYNTAX, CONFIG_BAD_VALUE
 */
export function resolveSettings<R extends keyof RoleSettings & Role>(
  role: R,
  sources: SettingSources,
  warnings: string[] = [],
): Resolved<R> {
  const layers = layersOf(role, sources, warnings)
  const values: Record<string, unknown> = {}
  const origins: Record<string, Origin> = {}
  warnings.push(...(sources.dotenvFiles ?? []).flatMap((file) => parseEnvFile(file).warnings))
  const files = [...(sources.dotenvFiles ?? []), ...(sources.configFile ? [sources.configFile] : [])]
  const exposed = new Set(files.filter(({ isExposed }) => isExposed).map(({ path }) => path))
  const leaking = new Set<string>()
  const shadowed: ShadowedSetting[] = []
  for (const name of settingNames(role)) {
    const entry: Setting = settings[name]
    const candidates = layers.flatMap((find) => find(name))
    const chosen = choose(entry, name, candidates)
    values[name] = placePath(entry, chosen ? chosen.value : defaultFor(entry, role))
    origins[name] = chosen ? chosen.origin : { kind: 'default' }
    if (chosen) {
      warnings.push(...warningsFor(name, entry, chosen))
      shadowed.push(...shadowedBy(name, chosen, candidates))
    }
    const file = chosen && holdsSecret(entry, chosen.raw) ? fileOf(chosen.origin) : undefined
    if (file !== undefined && exposed.has(file)) leaking.add(file)
  }
  dropForeignEndpoints(values, origins, warnings)
  settleLogLevel(values, origins, warnings)
  for (const file of leaking)
    warnings.push(`${file} contains a secret and is readable by other users; run: chmod 600 ${file}`)
  return { values: values as RoleSettings[R], origins, warnings, shadowed }
}

/** @param candidates of all sources, strongest first; equal texts do not contradict each other. */
function shadowedBy(name: string, chosen: Candidate, candidates: readonly Candidate[]): ShadowedSetting[] {
  const meaningOf = ({ raw, inverse }: Candidate) => `${inverse} ${JSON.stringify(raw)}`
  const weaker = candidates.filter((one) => meaningOf(one) !== meaningOf(chosen))
  return weaker.map(({ origin }) => ({ name, used: chosen.origin, ignored: origin }))
}

/** A secret, or an object that contains one (the keys of upstreams). */
function holdsSecret(entry: Setting, raw: unknown): boolean {
  const isText = typeof raw === 'string'
  return (entry.secret === true && isText) || /"api[-_]?key":"[^"]/i.test(JSON.stringify(raw) ?? '')
}

function fileOf(origin: Origin): string | undefined {
  return origin.kind === 'env-file' || origin.kind === 'config-file' ? origin.file : undefined
}

function choose(entry: Setting, name: SettingName, candidates: readonly Candidate[]) {
  const parsed = candidates.slice(0, entry.anySource ? undefined : 1).map((candidate) => {
    const value = parseValue(name, entry, candidate.raw, candidate.origin)
    return { ...candidate, value: candidate.inverse ? !value : value }
  })
  return (entry.anySource ? parsed.find(({ value }) => value === true) : undefined) ?? parsed[0]
}

function layersOf(role: Role, sources: SettingSources, warnings: string[]): Lookup[] {
  const layers: Lookup[] = [
    (name) => {
      const raw = sources.flags[name]
      return raw === undefined ? [] : [plain(raw, { kind: 'flag', name })]
    },
  ]
  const environments = environmentsOf(sources)
  for (const { values, originOf } of environments) refuseUnknownVariables(values, originOf)
  // Only these roles read variables of the SDK at all.
  if (settings['subtensor.network'].roles.includes(role)) {
    const unknown = [...new Set(environments.flatMap(({ values }) => unknownSdkVariables(values)))]
    if (unknown.length > 0)
      warnings.push(
        `Not read here: ${unknown.join(', ')}. The variables that are read stand in .env.example.`,
      )
  }
  for (const layer of withOneFamily(environments, warnings)) layers.push(variableLayer(layer))
  if (sources.configFile) {
    const parsed = parseConfigFile(sources.configFile)
    layers.push((name) =>
      parsed.values.has(name) ? [plain(parsed.values.get(name), parsed.originOf(name))] : [],
    )
  }
  return layers
}

/** The variables of the process and of each `.env` file, strongest first. */
function environmentsOf({ env, dotenvFiles = [] }: SettingSources): VariableLayer[] {
  const values = new Map(Object.entries(env).filter((pair): pair is [string, string] => !!pair[1]))
  return [{ values, originOf: (name) => ({ kind: 'variable', name }) }, ...dotenvFiles.map(parseEnvFile)]
}

function plain(raw: unknown, origin: Origin): Candidate {
  return { raw, origin, inverse: false, deprecated: false }
}

function variableLayer({ values, originOf }: VariableLayer): Lookup {
  return (name) =>
    readingsOf(name).flatMap(({ variable, inverse, deprecated }) => {
      const raw = values.get(variable)
      return raw ? [{ raw, origin: originOf(variable), inverse, deprecated }] : []
    })
}

function warningsFor(name: SettingName, entry: Setting, chosen: Candidate): string[] {
  const from = describeOrigin(chosen.origin)
  const warnings: string[] = []
  if (entry.ineffective) warnings.push(`${from} has no effect; it is accepted for compatibility.`)
  if (chosen.deprecated) warnings.push(`${from} is an old name; use --${name} or ${variableOf(name)}.`)
  if (entry.secret && chosen.origin.kind === 'flag')
    warnings.push(`--${name} exposes the secret in the process list; use ${variableOf(name)}.`)
  return warnings
}
