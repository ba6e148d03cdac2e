import { inheritableEnvironment } from '../config/index.js'

/** How to run this very command line again: the interpreter with its options (a TypeScript loader, say) and the script. */
export function selfCommand(): { command: string; args: string[] } {
  const script = process.argv[1]
  return { command: process.execPath, args: [...process.execArgv, ...(script ? [script] : [])] }
}

/** What an update needs to know of this process: the Node for the self-test of another release, and what its children inherit. */
export function ownSurroundings(): {
  readonly node: { readonly version: string; readonly path: string }
  readonly env: Readonly<Record<string, string>>
} {
  return {
    node: { version: process.versions.node, path: process.execPath },
    env: inheritableEnvironment(),
  }
}
