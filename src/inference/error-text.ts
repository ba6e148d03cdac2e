import { escapeControls, isJsonObject, parseJson } from '../kernel/index.js'

/** Bytes read of an error response. */
export const ERROR_BODY_BYTES = 16 * 1024
/** Characters kept of the sentence in it. */
const ERROR_CHARACTERS = 300
const ERROR_JSON = { depth: 16, values: 1000 }

/**
 * The sentence of an error response: `error.message` of OpenAI and vLLM, `detail` of FastAPI, `message`, or the text itself.
 * On one line, with control characters escaped, at most 300 characters; empty if it has no text.
 */
export function readErrorText(text: string): string {
  const json = parseJson(text, ERROR_JSON)
  return cleanErrorText(json === undefined ? withoutTags(text) : (sentenceOf(json) ?? text))
}

function sentenceOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value
  if (Array.isArray(value)) return sentencesOf(value)
  if (!isJsonObject(value)) return undefined
  return sentenceOf(value.error) ?? sentenceOf(value.detail) ?? sentenceOf(value.message) ?? fieldError(value)
}

/** FastAPI lists the fields that do not fit: `{loc: ["body", "model"], msg: "Field required"}`. */
function fieldError({ loc, msg }: { readonly loc?: unknown; readonly msg?: unknown }): string | undefined {
  if (typeof msg !== 'string') return undefined
  return Array.isArray(loc) ? `${loc.join('.')}: ${msg}` : msg
}

function sentencesOf(values: readonly unknown[]): string | undefined {
  const sentences = values.flatMap((value) => sentenceOf(value) ?? [])
  return sentences.length === 0 ? undefined : sentences.join('; ')
}

/** A proxy's error page without its tags. */
function withoutTags(text: string): string {
  return text.trimStart().startsWith('<') ? text.replace(/<[^<>]*>/g, ' ') : text
}

/** Text of a server on one line, with control characters escaped, at most 300 characters. */
export function cleanErrorText(text: string): string {
  const line = escapeControls(text.replace(/\s+/g, ' ').trim())
  return line.length > ERROR_CHARACTERS ? `${line.slice(0, ERROR_CHARACTERS - 1)}…` : line
}
