import type { Readable } from 'node:stream'
import { TargonError } from '../kernel/index.js'

const MAX_PROMPT_BYTES = 1 << 20

/**
 * The prompt: the argument, or all of standard input if the argument is absent or `-`.
 *
 * @throws TargonError PROMPT_MISSING, PROMPT_TOO_LONG
 */
export async function readPrompt(
  argument: string | undefined,
  stdin: Readable & { isTTY?: boolean } = process.stdin,
): Promise<string> {
  if (argument !== undefined && argument !== '-') return requireText(argument)
  if (stdin.isTTY) throw missing()
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stdin) {
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
