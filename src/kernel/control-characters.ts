/**
 * Characters of untrusted text that must not reach a terminal or a log: C0 and C1 controls, DEL, line and paragraph
 * separators, and everything that changes text direction (marks, embeddings, overrides, isolates).
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: matching control characters is the purpose
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

const escapeCharacter = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Replaces unsafe characters with their `\uXXXX` form. */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, escapeCharacter)
}

/** The same for multi-line text: line feeds and tabs are kept. */
export function escapeControlsInLines(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === '\n' || character === '\t' ? character : escapeCharacter(character),
  )
}
