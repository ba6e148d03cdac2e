import { connectSubtensor, openWeightsPipeline } from '../../src/chain/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { recordLog } from '../chain/subnet.js'
import { hotkeyOf } from '../support/hotkeys.js'

/**
 * Sets weights in every epoch until it is killed, and prints a line per result. Arguments: URL, ledger path, epoch length in
 * blocks, seed of the hotkey, and `naive` for a control that remembers only in memory what it has set.
 */
const [url = '', ledgerPath = '', length = '60', seed = '0', mode = ''] = process.argv.slice(2)
const signal = new AbortController().signal
const log = recordLog()
const signer = await hotkeyOf(Number(seed))
const chain = await connectSubtensor(
  { endpoints: [url], rpcTimeoutMs: 20_000, inclusionTimeoutMs: 1500 },
  { clock: systemClock, log, signal },
)
const vector = { uids: [0, 1], scores: [1, 0.5], versionKey: 404_010 }
const epochBlocks = Number(length)

function printResult(result: { readonly kind: string; readonly refusal?: { readonly class: string } }): void {
  process.stdout.write(`${result.kind} ${result.refusal?.class ?? ''}\n`)
}

async function runNaive(): Promise<void> {
  let done = -1
  process.stdout.write('ready\n')
  for await (const { number } of chain.blocks(signal)) {
    const epoch = Math.floor(number / epochBlocks)
    if (epoch === done) continue
    const result = await chain.setWeights(signer, { netuid: 4, ...vector })
    printResult(result)
    if (result.kind === 'set') done = epoch
  }
}

async function run(): Promise<void> {
  const lockTimes = { staleMs: 2000, waitMs: 30_000 }
  const pipeline = await openWeightsPipeline({
    ...{ chain, signer, netuid: 4, ledgerPath, clock: systemClock, log, signal, lockTimes },
  })
  process.stdout.write('ready\n')
  for await (const { number } of chain.blocks(signal)) {
    const epoch = Math.floor(number / epochBlocks)
    const window = { fromBlock: epoch * epochBlocks, untilBlock: (epoch + 1) * epochBlocks }
    const result = await pipeline.attempt(epoch, { ...vector, window })
    if (result.kind !== 'already-set') printResult(result)
  }
}

await (mode === 'naive' ? runNaive() : run())
