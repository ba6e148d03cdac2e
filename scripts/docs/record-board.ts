import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/kernel/index.js'
import { runLocalnet } from '../../src/localnet/index.js'
import { readmeNetwork } from './readme-network.js'

// Runs a subnet for some epochs and writes its last snapshot to board.json, from which docs/board.svg is drawn.
const EPOCHS = 2
const path = fileURLToPath(new URL('board.json', import.meta.url))
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())

const last = await runLocalnet(readmeNetwork(EPOCHS), {
  clock: systemClock,
  signal: stop.signal,
  onProgress: (line) => console.error(line),
  onSnapshot: () => {},
  onEnd: () => {},
})
if (last === undefined || stop.signal.aborted)
  throw new Error('stopped before the last epoch; nothing was recorded')
writeFileSync(path, JSON.stringify(last))
execFileSync('npx', ['biome', 'format', '--write', path], { stdio: 'inherit' })
