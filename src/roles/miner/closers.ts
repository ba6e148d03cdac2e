import type { Logger } from 'pino'

/** Releases what was opened, last opened first; one that fails does not keep the others. */
export interface Closers {
  push(name: string, close: () => Promise<void> | void): void
  closeAll(): Promise<void>
}

export function createClosers(log: Logger): Closers {
  const stack: { readonly name: string; readonly close: () => Promise<void> | void }[] = []
  return {
    push: (name, close) => {
      stack.push({ name, close })
    },
    closeAll: async () => {
      for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
        try {
          await one.close()
        } catch (error) {
          log.warn({ err: error, part: one.name }, 'part not closed')
        }
      }
    },
  }
}
