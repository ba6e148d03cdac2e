import { pino } from 'pino'
import { secretsOf } from '../../src/cli/secrets.js'
import type { MinerSettings } from '../../src/config/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { startMiner } from '../../src/roles/miner/index.js'
import { createLogger } from '../../src/telemetry/index.js'
import { createFakeSubtensor, neuronOf } from '../support/fake-subtensor.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { minerSettingsOf } from '../support/miner-rig.js'

/** The real miner in a separate process, to observe its memory, crashes and exit. Argument: settings as JSON. */
const [miner, ...validators] = await Promise.all([1, 2, 3, 4].map((seed) => hotkeyOf(seed)))
const subtensor = createFakeSubtensor(
  [...validators, miner!].map(({ address }, uid) =>
    neuronOf({ uid, hotkey: address, stakeTao: address === miner!.address ? 0 : 20_000 }),
  ),
)
const settings = minerSettingsOf(JSON.parse(process.argv[2] ?? '{}') as Partial<MinerSettings>)
const stopping = new AbortController()
process.once('SIGTERM', () => stopping.abort())
for (const event of ['unhandledRejection', 'uncaughtException']) {
  process.on(event, (error) => process.send?.({ kind: 'crash', event, text: String(error) }))
}
process.on('message', () => process.send?.({ kind: 'memory', memory: process.memoryUsage() }))
const level = process.env.GAUNTLET_DEBUG === '1' ? 'debug' : 'info'
const destination = { write: (line: string) => void process.stderr.write(line) }
// the control: redacts the usual paths and writes text as it is
const naive = { level, redact: ['api-key', 'settings["api-key"]', 'apiKey', 'headers.authorization'] }
const log =
  process.env.GAUNTLET_NAIVE_LOG === '1'
    ? pino(naive, destination)
    : createLogger({
        level,
        base: { role: 'miner' },
        pretty: process.env.GAUNTLET_PRETTY === '1',
        colour: false,
        secrets: new Set(secretsOf(settings)),
        destination,
      })
log.info({ settings: { ...settings } }, 'settings')
const running = await startMiner(settings, {
  clock: systemClock,
  log: log.child({}, {}),
  signal: stopping.signal,
  stateDir: '/nonexistent',
  subtensor,
  signer: miner!,
})
const { port } = subtensor.served[0] ?? {}
process.send?.({ kind: 'ready', port })
await running.done
process.exit(0)
