/** Up to the last `@` before the path: a password may itself contain one. */
const PASSWORD = /((?<![a-z\d+.-])[a-z\d+.-]+:\/\/[^\s/?#:@"'\\]*):([^\s/?#"'\\]*)@/gi

/** The text with the password of every address in it masked: `redis://user:[redacted]@host`. */
export function maskPasswords(text: string): string {
  return text.includes('://') ? text.replace(PASSWORD, '$1:[redacted]@') : text
}
