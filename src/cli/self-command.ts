/** How to run this very command line again: the interpreter with its options (a TypeScript loader, say) and the script. */
export function selfCommand(): { command: string; args: string[] } {
  const script = process.argv[1]
  return { command: process.execPath, args: [...process.execArgv, ...(script ? [script] : [])] }
}

/** The Node that runs this process, for a self-test of another release. */
export function nodeRuntime(): { version: string; path: string } {
  return { version: process.versions.node, path: process.execPath }
}
