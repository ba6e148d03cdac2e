import { stderr, stdin } from 'node:process'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** Prompts for a password on the terminal without echo. @returns undefined if there is no terminal or no input. */
export async function askPassword(prompt: string): Promise<string | undefined> {
  if (!stdin.isTTY || !stderr.isTTY) return undefined
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: stdin, output: silent, terminal: true })
  try {
    stderr.write(prompt)
    const password = await terminal.question('')
    return password === '' ? undefined : password
  } finally {
    stderr.write('\n')
    terminal.close()
  }
}
