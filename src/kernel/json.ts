import { exceedsJsonBounds, type JsonBounds } from './json-depth.js'

/**
 * The value of a JSON text, to be validated by a schema; undefined (which JSON cannot express) for invalid JSON.
 *
 * @param bounds for text of strangers: beyond them it is not parsed, and undefined as well.
 */
export function parseJson(text: string, bounds?: JsonBounds): unknown {
  if (bounds && exceedsJsonBounds(text, bounds)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A JSON object of unknown content. */
export type JsonObject = { readonly [key: string]: unknown }

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
