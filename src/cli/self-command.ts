import { inheritableEnvironment } from '../config/index.js'

/** The command that runs this program again: the interpreter, its options (such as a TypeScript loader) and the script. */
export function selfCommand(): { command: string; args: string[] } {
  const script = process.argv[1]
  return { command: process.execPath, args: [...process.execArgv, ...(script ? [script] : [])] }
}

/** What an update needs to know about this process: the Node version and path for self-tests, and the environment for child processes. */
export function ownSurroundings(): {
  readonly node: { readonly version: string; readonly path: string }
  readonly env: Readonly<Record<string, string>>
} {
  return {
    node: { version: process.versions.node, path: process.execPath },
    env: inheritableEnvironment(),
  }
}
