import { type Failure, failure } from './failure.js'

/** Control tokens as the families of models write them; on either side they are no part of the text. */
const SPECIAL =
  /<[|｜][^|｜<>\s]{1,64}[|｜]>|\[\|[^|[\]\s]{1,64}\|\]|<\/?s>|<(?:unk|pad|bos|eos|mask|start_of_turn|end_of_turn)>/g

/** Spaces a tokenizer's `clean_up_tokenization_spaces` takes out when it decodes, but not when it streams. */
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
 * The ids must spell the text the reader got. Allowed for: special tokens (not streamed), characters still
 * incomplete at the end, a leading space (tokenizers that mark word starts), and decode-time clean-up of spaces.
 */
export function checkText(streamed: string, detokenised: string): Failure | undefined {
  const spelt = comparable(detokenised)
  const text = comparable(streamed)
  if (spelt === text || spelt === comparable(cleanUp(streamed))) return undefined
  const at = firstDifference(spelt, text)
  return failure(
    'TOKEN_TEXT_MISMATCH',
    `The ids spell ${spelt.length} characters, the stream ${text.length}; they differ from character ${at} on.`,
  )
}

function comparable(text: string): string {
  return text
    .replace(SPECIAL, '')
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
