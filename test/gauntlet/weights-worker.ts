import { connectSubtensor, openWeightsPipeline } from '../../src/chain/index.js'
import { systemClock } from '../../src/clock.js'
import { recordLog } from '../chain/subnet.js'
import { hotkeyOf } from '../support/hotkeys.js'

/** A process that sets weights for every epoch of `length` blocks until it is killed. Argv: url, ledger, length. */
const [url = '', ledgerPath = '', length = '20'] = process.argv.slice(2)
const signal = new AbortController().signal
const log = recordLog()
const chain = await connectSubtensor(
  { endpoints: [url], rpcTimeoutMs: 8000, inclusionTimeoutMs: 1500 },
  { clock: systemClock, log, signal },
)
const pipeline = await openWeightsPipeline({
  chain,
  signer: await hotkeyOf(0),
  netuid: 4,
  ledgerPath,
  isAlone: true,
  clock: systemClock,
  log,
  signal,
  lockTimes: { staleMs: 2000, waitMs: 10_000 },
})
process.stdout.write('ready\n')
for await (const { number } of chain.blocks(signal)) {
  const epoch = Math.floor(number / Number(length))
  const result = await pipeline.attempt(epoch, { uids: [2, 3], scores: [1, 0.5], versionKey: 404_010 })
  if (result.kind === 'set') process.stdout.write(`set ${epoch} ${result.block}\n`)
}
