/** The value of a JSON text, to be validated by a schema; undefined (which JSON cannot express) for invalid JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
