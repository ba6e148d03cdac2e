import { fileURLToPath } from 'node:url'
import { inheritableEnvironment } from '../../src/config/index.js'

const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** The subnet that `npm start` runs, for the pictures of the documents. @param epochs undefined to run until it is stopped */
export function readmeNetwork(epochs?: number) {
  return {
    self: { command: process.execPath, args: [program] },
    env: inheritableEnvironment(),
    dir: undefined,
    seed: 'localnet',
    blockTimeMs: 1000,
    epochBlocks: 30,
    chainPort: 0,
    epochs,
    cheats: [],
    miners: [],
    hub: false,
  }
}
