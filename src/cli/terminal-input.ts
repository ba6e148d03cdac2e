import { stderr, stdin } from 'node:process'
import { createInterface } from 'node:readline/promises'
import { addAbortSignal, type Readable, Writable } from 'node:stream'
import { TargonError } from '../kernel/index.js'

const MAX_PROMPT_BYTES = 1 << 20

/**
 * The prompt: the argument, or all of standard input if the argument is absent or `-`.
 *
 * @throws TargonError PROMPT_MISSING, PROMPT_TOO_LONG; an AbortError when the signal aborts.
 */
export async function readPrompt(
  argument: string | undefined,
  signal: AbortSignal,
  input: Readable & { isTTY?: boolean } = stdin,
): Promise<string> {
  if (argument !== undefined && argument !== '-') return requireText(argument)
  if (input.isTTY) throw missing()
  addAbortSignal(signal, input)
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

/**
 * Prompts for a password on the terminal without echo.
 *
 * @returns undefined if there is no terminal or no input.
 * @throws an AbortError on Ctrl-C, which a terminal without echo sends as a character, and when the signal aborts.
 */
export async function askPassword(prompt: string, signal?: AbortSignal): Promise<string | undefined> {
  if (!stdin.isTTY || !stderr.isTTY) return undefined
  const typed = new AbortController()
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: stdin, output: silent, terminal: true })
  try {
    stderr.write(prompt)
    terminal.once('SIGINT', () => typed.abort())
    const end = AbortSignal.any(signal ? [signal, typed.signal] : [typed.signal])
    const password = await terminal.question('', { signal: end })
    return password === '' ? undefined : password
  } finally {
    stderr.write('\n')
    terminal.close()
  }
}
