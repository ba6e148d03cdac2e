import { isJsonObject, type JsonObject, messageOf, TargonError } from '../kernel/index.js'
import { parseYaml } from './yaml-document.js'

/** The config file as read from disk. */
export interface ConfigFile {
  readonly path: string
  readonly text: string
  /** Users other than its owner may read it. */
  readonly isExposed?: boolean
}

/** The object in a config file, and where its keys are. */
export interface ConfigDocument {
  readonly root: JsonObject
  /** Line of a flat or nested key, from 1; parts are joined by dots. */
  lineOf(key: string): number
}

/** Whether a config file is read as YAML; any other is read as JSON. */
export function isYaml(path: string): boolean {
  return /\.ya?ml$/i.test(path)
}

/** @throws TargonError CONFIG_FILE_SYNTAX unless the file contains one object. */
export function readDocument({ path, text }: ConfigFile): ConfigDocument {
  if (!isYaml(path)) return { root: parseJson(path, text), lineOf: (key) => lineOfKey(text, key) }
  const { value, lines, fault } = parseYaml(text)
  if (fault) throw syntaxError(`${path}:${fault.line}`, 'YAML', fault.reason)
  if (value !== null && !isJsonObject(value)) throw syntaxError(path, 'YAML', 'it must contain one mapping')
  return { root: value ?? {}, lineOf: (key) => lines.get(key) ?? 1 }
}

function parseJson(path: string, text: string): JsonObject {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    throw syntaxError(path, 'JSON', withoutSnippet(messageOf(error)), { cause: error })
  }
  if (isJsonObject(document)) return document
  throw syntaxError(path, 'JSON', 'it must contain one JSON object')
}

/** V8 quotes the text around an unexpected token, which may be a key. */
function withoutSnippet(message: string): string {
  return message.replace(/^(Unexpected token '.*?'), .* is not valid JSON$/s, '$1')
}

/** Each part of a key is searched for after the one before it. */
function lineOfKey(text: string, key: string): number {
  let position = text.indexOf(`"${key}"`)
  if (position < 0) {
    position = 0
    for (const part of key.split('.')) position = Math.max(position, text.indexOf(`"${part}"`, position))
  }
  return text.slice(0, position).split('\n').length
}

function syntaxError(
  place: string,
  language: 'JSON' | 'YAML',
  reason: string,
  options?: ErrorOptions,
): TargonError {
  const example = language === 'JSON' ? '{"axon.port": 8091}' : 'axon.port: 8091'
  return new TargonError(
    `Config file ${place} is not valid ${language}: ${reason.replace(/\.$/, '')}.`,
    {
      code: 'CONFIG_FILE_SYNTAX',
      fault: 'usage',
      next: `Fix the file; its keys are flag names, such as ${example}.`,
      facts: { path: place },
    },
    options,
  )
}
