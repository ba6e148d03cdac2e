import { type Logger, pino } from 'pino'
import { createCleanupStack } from '../../src/kernel/index.js'
import { createRandom } from '../../src/prompts/index.js'
import { connectPorts, type RoundResult } from '../../src/roles/validator/rounds/index.js'
import { createSubnetView } from '../../src/roles/validator/subnet/index.js'
import { startServices, type ValidatorDeps } from '../../src/roles/validator/validator.js'
import { createMetrics } from '../../src/telemetry/index.js'
import { defaultSettings, openRigWeights, type RigChain } from '../../test/roles/validator/validator-rig.js'
import { hotkeyOf } from '../../test/support/hotkeys.js'
import { addCount, type Counts } from './counts.js'
import { LeapingClock } from './leaping-clock.js'
import { PAUSE_MS, RoundDriver } from './round-driver.js'
import { createSoakEngine, SimulatedMiners, TOKENS } from './simulated-miners.js'
import { createSoakChain } from './soak-chain.js'
import { modelsIn } from './soak-models.js'

export interface SoakValidatorOptions {
  /** Where the miners list their models. */
  readonly port: number
  readonly rounds: number
  readonly stateDir: string
  readonly signal: AbortSignal
  readonly onAnswer: () => void
}

export interface SoakValidator {
  /** Plays one round on its clock, and every tenth time the epoch after it. */
  playRound(): Promise<void>
  /** Answers with a verdict. */
  answers(): number
  readonly counts: Counts
}

const MINERS = 8
const EPOCH_BLOCKS = 30
const START_BLOCK = 100
const ROUNDS_PER_EPOCH = 10
const DAY_MS = 86_400_000
/** The history is at its full size when the warm-up ends. */
const RETAINED_SHARE = 0.15

/** All services of a validator on a clock that leaps, before miners without sockets, with its history in SQLite. */
export async function startSoakValidator(options: SoakValidatorOptions): Promise<SoakValidator> {
  const { port, signal, stateDir } = options
  const clock = new LeapingClock(Date.now())
  const miners = new SimulatedMiners(clock, createRandom('soak miners'))
  const driver = new RoundDriver(clock, miners)
  const signer = await hotkeyOf(200)
  const { chain, grow, replaceMiner } = await createSoakChain(
    { signer: signer.address, miners: MINERS, port },
    START_BLOCK,
  )
  const counts: Counts = {}
  const log = createLog(counts)
  let [epochs, ended, answers, rounds] = [0, 0, 0, 0]
  const enginesIn = createEngines()
  const deps: ValidatorDeps = {
    ...{ clock, log, signal, stateDir, subtensor: chain, signer },
    weights: await openRigWeights(chain, { clock, log, signer, signal, folder: stateDir }),
    engines: () => enginesIn(epochs),
    models: { current: () => modelsIn(epochs), refresh: async () => {} },
    afterWeights: async () => {
      ended = epochs
    },
    watchdog: { enter: (phase) => driver.enter(phase) },
  }
  const noteResult = ({ verdict }: RoundResult) => {
    answers++
    addCount(counts, 'verdicts', outcomeOf(verdict))
    options.onAnswer()
  }
  const view = await start(options, { deps, chain, ports: { prepare: miners.prepare, noteResult } })
  const listed = () => view.miners.every(({ hotkey }) => view.servedBy(hotkey) !== undefined)
  await driver.until('asking the miners for their models', listed)
  return {
    counts,
    answers: () => answers,
    playRound: async () => {
      await driver.playRound()
      if (++rounds % ROUNDS_PER_EPOCH !== 0) return
      epochs++
      await replaceMiner(1 + (epochs % MINERS))
      grow(START_BLOCK + epochs * EPOCH_BLOCKS)
      await driver.until('an epoch', () => ended === epochs)
      addCount(counts, 'epochs', 'ended with weights')
    },
  }
}

interface Parts {
  readonly deps: ValidatorDeps
  readonly chain: RigChain
  readonly ports: Partial<Awaited<ReturnType<typeof connectPorts>>['ports']>
}

/** Starts the services with ports whose answers come from the simulated miners. */
async function start(options: SoakValidatorOptions, { deps, chain, ports }: Parts) {
  const { clock, log, signer } = deps
  const metagraph = await chain.metagraph(4)
  const self = metagraph.find(signer.address)
  if (!self) throw new Error('The validator is not registered.')
  const wanted = deps.models.current()
  const view = createSubnetView({
    ...{ metagraph, self, wanted, vpermitTaoLimit: 4096, allowAddress: () => true },
  })
  const context = {
    ...{ ...deps, view, settings: settingsOf(options), metrics: createMetrics('validator') },
    explainEngine: () => ({ reason: 'it has no engine' }),
    fail: (error: Error) => {
      throw error
    },
  }
  await startServices(context, deps, createCleanupStack(clock, log), async (...given) => {
    const connected = await connectPorts(...given)
    return { ...connected, ports: { ...connected.ports, ...ports, stallSince: () => 0 } }
  })
  return view
}

/** Engines of the wanted models; those of others are dropped. */
function createEngines() {
  const engines = new Map<string, ReturnType<typeof createSoakEngine>>()
  return (epoch: number) => {
    const wanted = modelsIn(epoch)
    for (const model of engines.keys()) if (!wanted.includes(model)) engines.delete(model)
    return wanted.map((model) => {
      const engine = engines.get(model) ?? createSoakEngine(model)
      engines.set(model, engine)
      return engine
    })
  }
}

/** Counts warnings and errors of the validator by event, since messages with numbers in them would add ever more counts. */
function createLog(counts: Counts): Logger {
  const write = (line: string) => {
    const { event } = JSON.parse(line) as { event: string }
    addCount(counts, 'log lines at warn and above', event)
  }
  return pino({ level: 'warn' }, { write })
}

function outcomeOf(verdict: RoundResult['verdict']): string {
  if (verdict.kind === 'verified') return 'verified'
  return `${verdict.kind} ${verdict.kind === 'failed' ? verdict.cause : verdict.reason}`
}

function settingsOf({ rounds }: SoakValidatorOptions) {
  return defaultSettings({
    'allow-private-axons': true,
    'metrics.port': 0,
    'round.size': MINERS,
    'round.models': 'in-turn',
    'round.max-tokens': { min: TOKENS, max: TOKENS },
    'round.greedy-share': 1,
    'round.pause': PAUSE_MS,
    'round.thread': false,
    'verification.burst': 'off',
    'evidence.calibrate': false,
    'epoch-length': EPOCH_BLOCKS,
    'history.retention': (rounds * RETAINED_SHARE * PAUSE_MS) / DAY_MS,
    'hub.url': 'off',
    seed: 'soak',
  })
}
