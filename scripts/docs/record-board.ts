import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inheritableEnvironment } from '../../src/config/index.js'
import { systemClock } from '../../src/kernel/index.js'
import { runLocalnet } from '../../src/localnet/index.js'

// Runs a subnet for some epochs and writes its last snapshot to board.json, from which docs/board.svg is drawn.
const EPOCHS = 2
const path = fileURLToPath(new URL('board.json', import.meta.url))
const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())

const last = await runLocalnet(
  {
    self: { command: process.execPath, args: [program] },
    env: inheritableEnvironment(),
    dir: undefined,
    seed: 'localnet',
    blockTimeMs: 1000,
    epochBlocks: 30,
    chainPort: 0,
    epochs: EPOCHS,
    cheats: [],
  },
  {
    clock: systemClock,
    signal: stop.signal,
    onProgress: (line) => console.error(line),
    onSnapshot: () => {},
    onEnd: () => {},
  },
)
if (last === undefined || stop.signal.aborted)
  throw new Error('stopped before the last epoch; nothing was recorded')
writeFileSync(path, JSON.stringify(last))
execFileSync('npx', ['biome', 'format', '--write', path], { stdio: 'inherit' })
