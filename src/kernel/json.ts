/** The value of a JSON text; undefined, which JSON cannot say, when the text is none. For a schema to judge. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
