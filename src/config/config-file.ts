import { isJsonObject, messageOf, TargonError } from '../kernel/index.js'
import type { Origin } from './origin.js'
import { type SettingName, settings } from './settings/index.js'
import { suggestName } from './suggestion.js'

/** The config file as read from disk. */
export interface ConfigFile {
  readonly path: string
  readonly text: string
  /** Users other than its owner may read it. */
  readonly isExposed?: boolean
}

/** Values of a config file by setting name. */
export interface ParsedConfigFile {
  readonly values: ReadonlyMap<SettingName, unknown>
  originOf(name: SettingName): Origin
}

/**
 * Parses JSON whose keys are flag names, flat (`"axon.port": 1`) or nested (`"axon": {"port": 1}`). One file may
 * serve several roles, so keys of other roles are accepted.
 *
 * @throws TargonError CONFIG_FILE_SYNTAX, CONFIG_UNKNOWN_KEY
 */
export function parseConfigFile({ path, text }: ConfigFile): ParsedConfigFile {
  const values = new Map<SettingName, unknown>()
  const lines = new Map<SettingName, number>()
  for (const [key, value] of flatten(parseJson(path, text), '')) {
    const line = lineOf(text, key)
    if (!isSettingName(key)) throw unknownKey(path, line, key)
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

function parseJson(path: string, text: string): object {
  let reason = 'it must contain one JSON object'
  let cause: unknown
  try {
    const document: unknown = JSON.parse(text)
    if (isJsonObject(document)) return document
  } catch (error) {
    reason = messageOf(error)
    cause = error
  }
  throw new TargonError(
    `Config file ${path} is not valid JSON: ${reason}.`,
    {
      code: 'CONFIG_FILE_SYNTAX',
      fault: 'usage',
      next: 'Fix the file; its keys are flag names, such as {"axon.port": 8091}.',
      facts: { path },
    },
    { cause },
  )
}

/** An object is a prefix of keys unless it is itself a valid value (`round.max-tokens` is `{min, max}`). */
function* flatten(document: object, prefix: string): Generator<[key: string, value: unknown]> {
  for (const [part, value] of Object.entries(document)) {
    const key = prefix + part
    const isValue = isSettingName(key) && settings[key].schema.safeParse(value).success
    if (isJsonObject(value) && !isValue) yield* flatten(value, `${key}.`)
    else yield [key, value]
  }
}

/** Line of a flat or nested key; each part is searched for after the one before it. */
function lineOf(text: string, key: string): number {
  let position = text.indexOf(`"${key}"`)
  if (position < 0) {
    position = 0
    for (const part of key.split('.')) position = Math.max(position, text.indexOf(`"${part}"`, position))
  }
  return text.slice(0, position).split('\n').length
}

function unknownKey(path: string, line: number, key: string): TargonError {
  const suggestion = suggestName(key, Object.keys(settings))
  return new TargonError(`Unknown key "${key}" in ${path}:${line}.`, {
    code: 'CONFIG_UNKNOWN_KEY',
    fault: 'usage',
    next: suggestion ? `Did you mean "${suggestion}"?` : 'Keys are flag names; docs/settings.md lists them.',
    facts: { path, line, key, suggestion },
  })
}
