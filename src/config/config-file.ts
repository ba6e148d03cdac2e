import { messageOf, TargonError } from '../kernel/index.js'
import type { Origin } from './origin.js'
import { type SettingName, settings } from './settings/index.js'
import { suggestName } from './suggestion.js'

/** A config file as it was read. */
export interface ConfigFile {
  readonly path: string
  readonly text: string
  /** Others than its owner may read it. */
  readonly isExposed?: boolean
}

/** Values of a config file by the name of the setting. */
export interface ParsedConfigFile {
  readonly values: ReadonlyMap<SettingName, unknown>
  originOf(name: SettingName): Origin
}

/**
 * JSON with the names of the flags as keys, flat (`"axon.port": 1`) or nested (`"axon": {"port": 1}`). One file may
 * serve several roles: a key of another role is known, and left alone.
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
  let reason = 'the file must hold one object'
  let cause: unknown
  try {
    const document: unknown = JSON.parse(text)
    if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document
  } catch (error) {
    reason = messageOf(error)
    cause = error
  }
  throw new TargonError(
    `Config file ${path} is not valid JSON: ${reason}.`,
    {
      code: 'CONFIG_FILE_SYNTAX',
      fault: 'usage',
      next: 'Correct the file; keys are the names of the flags, e.g. {"axon.port": 8091}.',
      facts: { path },
    },
    { cause },
  )
}

/** An object is a prefix unless it is a value itself (`round.max-tokens` holds `{min, max}`). */
function* flatten(document: object, prefix: string): Generator<[key: string, value: unknown]> {
  for (const [part, value] of Object.entries(document)) {
    const key = prefix + part
    const nested = typeof value === 'object' && value !== null && !Array.isArray(value)
    const whole = isSettingName(key) && settings[key].schema.safeParse(value).success
    if (nested && !whole) yield* flatten(value, `${key}.`)
    else yield [key, value]
  }
}

/** Line of a key, flat or nested: each part is looked for after the one before it. */
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
  return new TargonError(`Unknown key "${key}" (${path}:${line}).`, {
    code: 'CONFIG_UNKNOWN_KEY',
    fault: 'usage',
    next: suggestion ? `Did you mean "${suggestion}"?` : 'Keys are the names of the flags; see .env.example.',
    facts: { path, line, key, suggestion },
  })
}
