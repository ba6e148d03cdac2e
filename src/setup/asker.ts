import type { Readable, Writable } from 'node:stream'

export interface Choice<T> {
  readonly name: string
  readonly value: T
}

/** Asks the operator. Every question rejects with an AbortError on Ctrl-C. */
export interface Asker {
  choose<T>(question: string, choices: readonly Choice<T>[], first?: T): Promise<T>
  /** @param check says what is wrong with an answer; undefined accepts it */
  type(question: string, usual: string, check?: (text: string) => string | undefined): Promise<string>
  typeSecret(question: string): Promise<string>
  confirm(question: string, usual: boolean): Promise<boolean>
  /** Prints a line between questions. */
  note(line: string): void
}

export interface Terminal {
  readonly input: Readable
  readonly output: Writable
  readonly signal: AbortSignal
}

/** Asks in a terminal. */
export function createAsker({ input, output, signal }: Terminal): Asker {
  const context = { input, output, signal }
  return {
    choose: async (question, choices, first) => {
      const { default: select } = await import('@inquirer/select')
      const config = { message: question, choices: [...choices] }
      return await answered(
        select({ ...config, ...(first === undefined ? {} : { default: first }) }, context),
      )
    },
    type: async (question, usual, check = () => undefined) => {
      const { default: ask } = await import('@inquirer/input')
      const validate = (text: string) => check(text.trim()) ?? true
      const typed = await answered(ask({ message: question, default: usual, validate }, context))
      return typed.trim()
    },
    typeSecret: async (question) => {
      const { default: ask } = await import('@inquirer/password')
      return (await answered(ask({ message: question, mask: true }, context))).trim()
    },
    confirm: async (question, usual) => {
      const { default: ask } = await import('@inquirer/confirm')
      return await answered(ask({ message: question, default: usual }, context))
    },
    note: (line) => void output.write(`${line}\n`),
  }
}

/** The library has errors of its own for Ctrl-C and for a signal that aborts. */
async function answered<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking
  } catch (error) {
    const isStop = error instanceof Error && /^(?:ExitPrompt|AbortPrompt|CancelPrompt)Error$/.test(error.name)
    throw isStop ? new DOMException('stopped at a question', 'AbortError') : error
  }
}
