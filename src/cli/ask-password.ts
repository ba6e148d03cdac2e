import { stderr, stdin } from 'node:process'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** Asks on the terminal without showing what is typed. @returns undefined when there is no terminal. */
export async function askPassword(question: string): Promise<string | undefined> {
  if (!stdin.isTTY || !stderr.isTTY) return undefined
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: stdin, output: silent, terminal: true })
  try {
    stderr.write(question)
    const answer = await terminal.question('')
    return answer === '' ? undefined : answer
  } finally {
    stderr.write('\n')
    terminal.close()
  }
}
