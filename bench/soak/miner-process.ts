import diagnostics from 'node:diagnostics_channel'
import { pino } from 'pino'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import { startMiner } from '../../src/roles/miner/index.js'
import { createFakeSubtensor, neuronOf } from '../../test/support/fake-subtensor.js'
import { hotkeyOf } from '../../test/support/hotkeys.js'
import { minerSettingsOf } from '../../test/support/miner-rig.js'
import { CALLER_SEEDS, MINER_SEED } from './callers.js'
import { plantLeak } from './plant.js'
import { readHoldings } from './sample.js'

/** What the miner is asked: to set its clock forward, or what it holds. */
export type MinerOrder = { readonly forwardMs: number } | 'holdings'

/** Our miner with all checks. Arguments: origin of the upstream; bytes to keep of each request. */
const [origin = '', plant = '0'] = process.argv.slice(2)
const [miner, ...callers] = await Promise.all([MINER_SEED, ...CALLER_SEEDS].map(hotkeyOf))
if (!miner) throw new Error('The miner has no hotkey.')
let aheadMs = 0
const clock: Clock = {
  now: () => systemClock.now() + aheadMs,
  monotonic: () => systemClock.monotonic() + aheadMs,
  sleep: systemClock.sleep,
}
const { signal } = new AbortController()
const log = pino(
  { level: 'info' },
  {
    write: (line: string) => {
      if (!line.includes('"miner-listening"')) return
      const { port } = JSON.parse(line) as { port: number }
      process.send?.({ port })
    },
  },
)
diagnostics.subscribe('http.server.request.start', () => plantLeak(Number(plant)))
const validators = callers.map(({ address }, index) =>
  neuronOf({ uid: index, hotkey: address, stakeTao: 20_000, validatorPermit: true }),
)
await startMiner(
  minerSettingsOf({
    'model-endpoint': [`${origin}/v1`],
    // the clock is set forward by half a minute at a time
    'metagraph-refresh': 1,
    // all callers have one address
    'max-failed-checks': 100_000,
  }),
  {
    ...{ clock, log, signal, stateDir: '/nonexistent', signer: miner },
    subtensor: createFakeSubtensor([...validators, neuronOf({ uid: callers.length, hotkey: miner.address })]),
  },
)

process.on('message', (order: MinerOrder) => {
  if (order === 'holdings') return void readHoldings(signal).then((held) => process.send?.(held))
  aheadMs += order.forwardMs
  process.send?.({ aheadMs })
})
