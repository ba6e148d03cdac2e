import { type Failure, failure } from './check.js'

/** Spaces that `clean_up_tokenization_spaces` removes when a tokenizer decodes whole texts, but not when it streams. */
const CLEAN_UP: readonly (readonly [RegExp, string])[] = [
  [/ \./g, '.'],
  [/ \?/g, '?'],
  [/ !/g, '!'],
  [/ ,/g, ','],
  [/ ' /g, "'"],
  [/ n't/g, "n't"],
  [/ 'm/g, "'m"],
  [/ 's/g, "'s"],
  [/ 've/g, "'ve"],
  [/ 're/g, "'re"],
]

/**
 * Fails when the ids do not spell the streamed text.
 *
 * Allowed differences: an incomplete character at the end, a leading space (tokenizers that mark word starts), and spaces
 * removed at decode time. Which ids are not streamed is decided before (spelling.ts). Source: not in 4.4.1, where ids and
 * text are never compared.
 */
export function checkText(streamed: string, detokenized: string): Failure | undefined {
  const spelled = normalise(detokenized)
  const text = normalise(streamed)
  if (spelled === text || spelled === normalise(cleanUp(streamed))) return undefined
  const at = firstDifference(spelled, text)
  return failure(
    'TOKEN_TEXT_MISMATCH',
    `The ids spell ${spelled.length} characters and the stream has ${text.length}; the first difference is at character ${at}.`,
  )
}

function normalise(text: string): string {
  return text
    .replace(/\uFFFD+/g, '\uFFFD')
    .replace(/\uFFFD$/, '')
    .replace(/^ /, '')
}

function cleanUp(text: string): string {
  return CLEAN_UP.reduce((cleaned, [pattern, replacement]) => cleaned.replace(pattern, replacement), text)
}

function firstDifference(a: string, b: string): number {
  let index = 0
  while (index < a.length && a[index] === b[index]) index++
  return index
}
