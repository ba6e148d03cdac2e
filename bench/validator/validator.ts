import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import Connection from 'libsql'
import { pino } from 'pino'
import { connectEngine } from '../../src/engine/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { startValidator } from '../../src/roles/validator/index.js'
import { createMetrics } from '../../src/telemetry/index.js'
import { createRigChain, defaultSettings, openRigWeights } from '../../test/roles/validator/validator-rig.js'
import { neuronOf } from '../../test/support/fake-subtensor.js'
import { hotkeyOf } from '../../test/support/hotkeys.js'

/** What one epoch cost. */
export interface EpochCost {
  readonly cpuSeconds: number
  readonly verified: number
  readonly others: number
  readonly seconds: number
  /** Delay of the event loop, at p99 and at most. */
  readonly delayMs: number
  readonly longestDelayMs: number
  readonly residentBytes: number
  /** For each result, weights and evidence included. */
  readonly historyBytes: number
}

/** Our validator before that many miners. Arguments: port of the miners, of the engine; the model; miners; answers to verify. */
const [minersPort = 0, enginePort = 0, model = '', miners = 1, answers = 1] = process.argv
  .slice(2)
  .map((text, index) => (index === 2 ? text : Number(text))) as [number, number, string, number, number]
const EPOCH = 30
const LARGEST_ROUND = 256
const START_BLOCK = 100
const LOOK_MS = 50
/** What passes between two rounds of a validator at work: signatures made for one are of no use to the next. */
const ROUND_MS = 90_000
/** The miners share a core with the engine, so that their first token may be late. */
const MINER_TIMEOUT_S = 60
/** In which the history writes what it was given. */
const WRITTEN_MS = 3000

const folder = mkdtempSync(join(tmpdir(), 'bench-validator-'))
const stateDir = join(folder, 'state')
mkdirSync(stateDir)
process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
process.once('SIGTERM', () => process.exit(0))

const signer = await hotkeyOf(200)
const axon = { ip: '127.0.0.1', port: minersPort, ipType: 4, protocol: 4, version: 1, block: 1 } as const
const neurons = [neuronOf({ uid: 0, hotkey: signer.address, validatorPermit: true, stakeTao: 50_000 })]
for (let uid = 1; uid <= miners; uid++) {
  const seed = Buffer.alloc(32, 7)
  seed.writeUInt32LE(uid)
  neurons.push(neuronOf({ uid, hotkey: (await hotkeyOf(seed)).address, axon }))
}
const chain = createRigChain(neurons, START_BLOCK)
const signal = new AbortController().signal
let epochsEnded = 0
const log = pino(
  { level: 'info', base: null },
  {
    write: (line: string) => {
      if (line.includes('"event":"weights-set"')) epochsEnded++
    },
  },
)
let leaptMs = 0
const clock = { ...systemClock, now: () => systemClock.now() + leaptMs }
const watchdog = {
  enter: (phase: string) => {
    if (phase === 'planning') leaptMs += ROUND_MS
  },
}
const url = `http://127.0.0.1:${enginePort}`
const engine = connectEngine({
  ...{ model, urls: [url], hubUrl: url, cacheDir: join(folder, 'models'), clock, log },
})
await engine.whenReady(AbortSignal.timeout(120_000))
const metrics = createMetrics('validator')
const weights = await openRigWeights(chain, { clock, log, signer, signal, folder: stateDir })
await startValidator(
  defaultSettings({
    'allow-private-axons': true,
    'metrics.port': 0,
    'round.size': Math.min(miners, LARGEST_ROUND),
    'round.max-tokens': { min: 64, max: 64 },
    'round.stall-limit': 60_000,
    'miner-timeout': MINER_TIMEOUT_S,
    'verification.burst': 'off',
    'evidence.calibrate': false,
    'epoch-length': EPOCH,
    'hub.url': 'off',
    seed: 'bench',
  }),
  {
    ...{ clock, log, weights, signal, stateDir, subtensor: chain, signer, metrics, watchdog },
    engines: () => [engine],
    models: { current: () => [model], refresh: async () => {} },
  },
)

async function counts(): Promise<{ verified: number; others: number }> {
  const { values } = await metrics.modelVerdicts.get()
  const sum = (wanted: boolean) =>
    values
      .filter(({ labels }) => (labels.outcome === 'verified') === wanted)
      .reduce((total, { value }) => total + value, 0)
  return { verified: sum(true), others: sum(false) }
}

async function until(isDone: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isDone())) await systemClock.sleep(LOOK_MS)
}

const total = async () => {
  const { verified, others } = await counts()
  return verified + others
}
await until(async () => (await total()) >= Math.min(miners, LARGEST_ROUND))
await systemClock.sleep(WRITTEN_MS)
const [first, kept] = [await counts(), history()]
const before = process.cpuUsage()
const startedAt = performance.now()
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
const enough = (await total()) + answers
await until(async () => (await total()) >= enough)
const endedBefore = epochsEnded
chain.grow(Math.ceil((START_BLOCK + 1) / EPOCH) * EPOCH)
await until(() => epochsEnded > endedBefore)
delay.disable()
const { user, system } = process.cpuUsage(before)
const last = await counts()
const residentBytes = process.memoryUsage.rss()
const seconds = (performance.now() - startedAt) / 1000
await systemClock.sleep(WRITTEN_MS)
const keptLast = history()
const cost: EpochCost = {
  cpuSeconds: (user + system) / 1e6,
  verified: last.verified - first.verified,
  others: last.others - first.others,
  seconds,
  delayMs: delay.percentile(99) / 1e6,
  longestDelayMs: delay.max / 1e6,
  residentBytes,
  historyBytes: (keptLast.bytes - kept.bytes) / (keptLast.rows - kept.rows),
}
process.send?.(cost)

/** What the database has of it so far; the last results of a round may not be written yet. */
function history(): { readonly rows: number; readonly bytes: number } {
  const database = new Connection(join(stateDir, 'history.sqlite'), { readonly: true })
  const read = (query: string) => Number(Object.values(database.prepare(query).get() as object)[0])
  const found = {
    rows: read('select count(*) from results'),
    bytes: read('pragma page_count') * read('pragma page_size'),
  }
  database.close()
  return found
}
