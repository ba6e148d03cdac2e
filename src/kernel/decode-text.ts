/**
 * The text of a file that a person wrote, without a byte order mark: UTF-8, or UTF-16 if its mark says so, as Windows editors
 * and PowerShell save it.
 *
 * @returns undefined when the bytes are not text (they contain NUL, as UTF-16 without a mark does)
 */
export function decodeText(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder(encodingOf(bytes)).decode(bytes)
  return text.includes('\0') ? undefined : text
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  return 'utf-8'
}
