import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readRegistration } from '../../src/chain/hyperparameters.js'
import { openLink } from '../../src/chain/link.js'
import { systemClock } from '../../src/clock.js'
import { type Subnet, startSubnet } from '../chain/subnet.js'

const EPOCH_BLOCKS = 60
const KILLS = 2

let subnet: Subnet
let folder: string
let worker: ChildProcess | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kill-'))
  subnet = await startSubnet({ sealing: 'interval', blockTimeMs: 250, weightsSetRateLimit: 5 })
})
afterEach(async () => {
  worker?.kill('SIGKILL')
  await subnet.close()
  await rm(folder, { recursive: true, force: true })
})

function startWorker(): ChildProcess {
  const script = fileURLToPath(new URL('./weights-worker.ts', import.meta.url))
  const args = ['--import', 'tsx', script, subnet.dev.url, join(folder, 'weights.json'), String(EPOCH_BLOCKS)]
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
}

it('kill -9 around the submission: every epoch set once, none twice (F13, scaled)', async () => {
  const link = await openLink(subnet.dev.url, { clock: systemClock, rpcTimeoutMs: 8000 })
  const chain = await subnet.connect()
  const updates = new Set<number>()
  const end = new AbortController()
  const watching = (async () => {
    for await (const { hash } of chain.blocks(end.signal)) {
      const own = await readRegistration(link.runtime, 4, subnet.signers[0]?.address ?? '', {
        blockHash: hash,
      })
      if (own && own.lastUpdateBlock > 0) updates.add(own.lastUpdateBlock)
    }
  })()
  let firstEpoch: number | undefined
  for (let round = 0; round <= KILLS; round++) {
    worker = startWorker()
    await once(worker.stdout ?? worker, 'data')
    subnet.dev.faults.set({ stalled: false })
    firstEpoch ??= Math.floor(chain.head().number / EPOCH_BLOCKS) + 1
    if (round === KILLS) break
    // Anywhere around the next epoch's submission, which takes the first few of its blocks.
    const boundary = (Math.floor(chain.head().number / EPOCH_BLOCKS) + 1) * EPOCH_BLOCKS
    const until = boundary + Math.floor(Math.random() * 20)
    for await (const { number } of chain.blocks(end.signal)) if (number >= until) break
    worker.kill('SIGKILL')
    // A restart takes seconds of an epoch's 72 minutes, but would take this scaled chain through whole epochs.
    subnet.dev.faults.set({ stalled: true })
    await once(worker, 'exit')
  }
  const lastEpoch = Math.floor(chain.head().number / EPOCH_BLOCKS)
  for await (const { number } of chain.blocks(end.signal)) {
    if (number >= (lastEpoch + 1) * EPOCH_BLOCKS - 1) break
  }
  end.abort()
  await watching
  link.rpc.close()
  const epochs = [...updates].map((block) => Math.floor(block / EPOCH_BLOCKS))
  expect(new Set(epochs).size).toBe(epochs.length)
  for (let epoch = firstEpoch ?? 0; epoch <= lastEpoch; epoch++) expect(epochs).toContain(epoch)
}, 180_000)
