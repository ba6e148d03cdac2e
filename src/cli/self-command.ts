/** How to run this very command line again: the interpreter with its options (a TypeScript loader, say) and the script. */
export function selfCommand(): { command: string; args: string[] } {
  const script = process.argv[1]
  return { command: process.execPath, args: [...process.execArgv, ...(script ? [script] : [])] }
}
