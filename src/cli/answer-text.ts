// biome-ignore lint/suspicious/noControlCharactersInRegex: matching control characters is the purpose
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

/** Writes foreign text to stdout: exactly as it came into a pipe or file, without control sequences on a terminal. */
export function writeAnswer(text: string): void {
  process.stdout.write(process.stdout.isTTY ? text.replace(UNSAFE, '\ufffd') : text)
}
