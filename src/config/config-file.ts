import { isJsonObject, type JsonObject, TargonError } from '../kernel/index.js'
import { type ConfigFile, isYaml, readDocument } from './config-document.js'
import type { Origin } from './origin.js'
import { type SettingName, settings } from './settings/index.js'
import { suggestName } from './suggestion.js'

/** Values of a config file by setting name. */
export interface ParsedConfigFile {
  readonly values: ReadonlyMap<SettingName, unknown>
  originOf(name: SettingName): Origin
}

/** Names the JSON schema of the file to an editor. */
const SCHEMA_KEY = '$schema'

/** Names of settings have three parts at most. */
const MAX_DEPTH = 8

/** Characters of an unknown key that are compared with the known ones and shown. */
const LONGEST_SHOWN = 100

/**
 * Parses JSON, or YAML if the name of the file ends so, whose keys are flag names, flat (`"axon.port": 1`) or nested
 * (`"axon": {"port": 1}`). One file may serve several roles, so keys of other roles are accepted. In YAML a key without a
 * value is not set, so that a section may have all its lines commented out.
 *
 * @throws TargonError CONFIG_FILE_SYNTAX, CONFIG_UNKNOWN_KEY
 */
export function parseConfigFile(file: ConfigFile): ParsedConfigFile {
  const { path } = file
  const { root, lineOf } = readDocument(file)
  const values = new Map<SettingName, unknown>()
  const lines = new Map<SettingName, number>()
  const { [SCHEMA_KEY]: _, ...given } = root
  for (const [key, value] of flatten(given, '', 0)) {
    const line = lineOf(key)
    const isEmpty = value === null && isYaml(path)
    if (isEmpty && isSection(key)) continue
    if (!isSettingName(key)) throw unknownKey(path, line, key)
    if (isEmpty) continue
    values.set(key, value)
    lines.set(key, line)
  }
  return {
    values,
    originOf: (name) => ({ kind: 'config-file', file: path, line: lines.get(name) ?? 1, key: name }),
  }
}

function isSettingName(key: string): key is SettingName {
  return Object.hasOwn(settings, key)
}

function isSection(key: string): boolean {
  return Object.keys(settings).some((name) => name.startsWith(`${key}.`))
}

/** An object is a prefix of keys unless it is itself a valid value (`round.max-tokens` is `{min, max}`). */
function* flatten(
  document: JsonObject,
  prefix: string,
  depth: number,
): Generator<[key: string, value: unknown]> {
  for (const [part, value] of Object.entries(document)) {
    const key = prefix + part
    const isValue = isSettingName(key) && settings[key].schema.safeParse(value).success
    if (isJsonObject(value) && !isValue && depth < MAX_DEPTH) yield* flatten(value, `${key}.`, depth + 1)
    else yield [key, value]
  }
}

function unknownKey(path: string, line: number, key: string): TargonError {
  const shown = key.slice(0, LONGEST_SHOWN)
  const suggestion = suggestName(shown, Object.keys(settings))
  return new TargonError(`Unknown key "${shown}" in ${path}:${line}.`, {
    code: 'CONFIG_UNKNOWN_KEY',
    fault: 'usage',
    next: suggestion ? `Did you mean "${suggestion}"?` : 'Keys are flag names; docs/settings.md lists them.',
    facts: { path, line, key: shown, suggestion },
  })
}
