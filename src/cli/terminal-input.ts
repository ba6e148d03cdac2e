import { stderr, stdin } from 'node:process'
import { createInterface } from 'node:readline/promises'
import { type Readable, Writable } from 'node:stream'
import { TargonError } from '../kernel/index.js'

const MAX_PROMPT_BYTES = 1 << 20

/**
 * The prompt: the argument, or all of standard input if the argument is absent or `-`.
 *
 * @throws TargonError PROMPT_MISSING, PROMPT_TOO_LONG
 */
export async function readPrompt(
  argument: string | undefined,
  input: Readable & { isTTY?: boolean } = stdin,
): Promise<string> {
  if (argument !== undefined && argument !== '-') return requireText(argument)
  if (input.isTTY) throw missing()
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > MAX_PROMPT_BYTES)
      throw new TargonError(`The prompt on standard input exceeds ${MAX_PROMPT_BYTES} bytes.`, {
        code: 'PROMPT_TOO_LONG',
        fault: 'usage',
        next: 'Shorten the prompt.',
      })
    chunks.push(bytes)
  }
  return requireText(Buffer.concat(chunks).toString('utf8').trimEnd())
}

function requireText(text: string): string {
  if (text.trim() === '') throw missing()
  return text
}

function missing(): TargonError {
  return new TargonError('No prompt given.', {
    code: 'PROMPT_MISSING',
    fault: 'usage',
    next: 'Pass it as an argument or on standard input: targon query "Why is the sky blue?"',
  })
}

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
