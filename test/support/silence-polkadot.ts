/** The second argument of every line that the logger of @polkadot/util writes: its module, padded to 16 columns. */
const MODULE = /^ *[A-Z][A-Z0-9/-]*:$/

let silenced = false

/**
 * Drops what polkadot.js writes to the console. Tests provoke the refusals and lost connections that it reports there, and
 * check them by the errors it throws. Its logger has no switch.
 */
export function silencePolkadot(): void {
  if (silenced) return
  silenced = true
  for (const level of ['error', 'log', 'warn'] as const) {
    const write = console[level].bind(console)
    console[level] = (...values: unknown[]) => {
      if (typeof values[1] === 'string' && MODULE.test(values[1])) return
      write(...values)
    }
  }
}
