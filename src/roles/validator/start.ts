import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { type BlockHead, FINNEY_GENESIS, type Metagraph, type Subtensor } from '../../chain/index.js'
import { withDeadline } from '../../clock.js'
import type { ValidatorSettings } from '../../config/index.js'
import type { ReferenceEngine } from '../../engine/index.js'
import { messageOf } from '../../errors.js'
import { createRandom } from '../../prompts/index.js'
import { createMetrics, startStatusServer, type ValidatorMetrics } from '../../telemetry/index.js'
import type { Signer } from '../../wallet/index.js'
import type { RoleDeps, RunningRole } from '../role.js'
import { isForbiddenAddress } from './address-guard.js'
import { admitValidator } from './admission.js'
import { followBlocks } from './block-feed.js'
import { createClosers } from './closers.js'
import { startEpoch } from './epoch.js'
import { epochAt } from './epoch-task.js'
import { lockHotkey } from './hotkey-lock.js'
import { openHub } from './hub.js'
import { connectPorts } from './ports.js'
import type { ValidatorReport } from './report.js'
import { createResultsSink, noteNotServing } from './results-sink.js'
import { startRoundLoop, withPromptDeadline } from './round-loop.js'
import { openScores } from './scores.js'
import { watchStalls } from './stall-watch.js'
import { createStandings } from './standings.js'
import { describeStatus } from './status.js'
import { createSubnetView } from './subnet-view.js'
import type { ConfirmedWeights } from './weights-job.js'

export interface ValidatorDeps extends RoleDeps {
  readonly subtensor: Subtensor
  readonly signer: Signer
  /** The reference engines of now, ready or not. */
  readonly engines: () => readonly ReferenceEngine[]
  /** Starts and stops engines for the wanted models; a fixed set when absent. */
  readonly refreshEngines?: (wanted: readonly string[], signal: AbortSignal) => Promise<void>
  /** Wanted models; a refresh that fails keeps the last good list. */
  readonly models: { current(): readonly string[]; refresh(signal: AbortSignal): Promise<void> }
  readonly metrics?: ValidatorMetrics
  /** After the last job of an epoch whose weights are confirmed: the moment for an update. */
  readonly afterWeights?: (block: number, signal: AbortSignal) => Promise<void>
}

const FIRST_SYNC_TIMEOUT_MS = 120_000

/**
 * The validator: rounds of queries and the epoch task beside them, until `deps.signal` aborts. Streams under way are
 * then cut (which counts for nobody), the scores are saved, everything is closed in the opposite order of opening.
 *
 * @throws TargonError HOTKEY_NOT_REGISTERED, NO_VALIDATOR_PERMIT, CHAIN_UNREACHABLE (fault chain);
 * HOTKEY_IN_USE (fault hotkey-in-use); PRIVATE_AXONS_ON_FINNEY, SCORE_FILE_PICKLE, SCORE_FILE_UNREADABLE, STATUS_PORT_IN_USE (fault usage)
 */
export async function startValidator(
  settings: ValidatorSettings,
  deps: ValidatorDeps,
): Promise<RunningRole<ValidatorReport>> {
  const { clock, log, signal } = deps
  const closers = createClosers(clock, log)
  const life = new AbortController()
  closers.add('tasks', () => life.abort())
  try {
    const release = await lockHotkey({
      stateDir: deps.stateDir,
      hotkey: deps.signer.address,
      onLost: (error) => {
        log.error({ error: messageOf(error) }, 'lock of the hotkey lost')
        life.abort(error)
      },
    })
    closers.add('lock of the hotkey', () => release().catch(() => {}))
    const { finish } = await openValidator(settings, deps, closers, AbortSignal.any([signal, life.signal]))
    return { done: finish().finally(() => closers.closeAll()) }
  } catch (error) {
    await closers.closeAll()
    throw error
  }
}

async function openValidator(
  settings: ValidatorSettings,
  deps: ValidatorDeps,
  closers: ReturnType<typeof createClosers>,
  signal: AbortSignal,
): Promise<{ finish(): Promise<ValidatorReport> }> {
  const { clock, log, subtensor, signer } = deps
  const metrics = deps.metrics ?? createMetrics('validator')
  const metagraph = await firstSync(settings, deps)
  const self = admitValidator(
    {
      metagraph,
      hotkey: signer.address,
      isTestnet: settings['is-testnet'],
      onFinney: subtensor.genesisHash === FINNEY_GENESIS,
      allowPrivateAxons: settings['allow-private-axons'],
    },
    log,
  )
  const allowPrivate = settings['allow-private-axons']
  const view = createSubnetView({
    metagraph,
    self,
    wanted: deps.models.current(),
    vpermitTaoLimit: settings['vpermit-tao-limit'],
    allowAddress: (ip) => allowPrivate || !isForbiddenAddress(ip),
  })
  const epochLength = settings['epoch-length']
  const scores = await openScores(resolve(deps.stateDir, settings['cache-file']), metagraph, epochLength, log)
  const standings = createStandings()
  const stalls = watchStalls(clock, signal)
  const random = createRandom(settings.seed ?? randomUUID())
  let block = metagraph.block
  let weights: ConfirmedWeights | undefined
  let weightsSet = 0
  const connected = connectPorts(settings, { clock, log, signer, random: random.fork('prompts') })
  closers.add('connections to miners', () => connected.close())
  const hub = openHub(
    settings,
    { clock, log, signer, view, book: scores.book, engines: deps.engines, verify: connected.ports.verify },
    signal,
  )
  closers.add('hub', () => hub.close())
  const onResult = createResultsSink({ book: scores.book, standings, metrics, log })
  const epoch = startEpoch(
    {
      ...{ clock, log, settings, subtensor, signer, view, scores, standings, metrics },
      models: deps.models,
      refreshEngines: deps.refreshEngines,
      afterWeights: deps.afterWeights,
      onWeights: (set) => {
        weights = set
        weightsSet++
        hub.onWeights(set.path)
      },
      onPhase: () => {},
    },
    signal,
  )
  const loop = startRoundLoop(
    {
      ...{ clock, log, view, random, engines: deps.engines },
      ports: {
        ...connected.ports,
        clock,
        prompts: withPromptDeadline(clock, connected.ports.prompts),
        stallSince: stalls.stallSince,
        stallLimitMs: settings['round.stall-limit'],
        onResult,
      },
      size: settings['round.size'],
      models: settings['round.models'],
      pauseMs: settings['round.pause'],
      block: () => block,
      onNotServing: (miner, model) => noteNotServing(view, scores.book, miner, model, block),
      onRoundJudged: (results) => hub.onRoundJudged(results),
      onRoundEnd: scores.save,
      onSkip: () => epoch.askRefresh(),
      onPhase: () => {},
    },
    signal,
  )
  const onHead = (head: BlockHead) => {
    block = Math.max(block, head.number)
    metrics.chainHeadBlock.set(block)
    epoch.onHead(head)
    hub.onBlock(block)
  }
  const feed = followBlocks(subtensor, clock, log, onHead, signal)
  const status = await startStatusServer({
    port: settings['metrics.port'],
    log,
    live: () => true,
    ready: () => (signal.aborted ? 'draining' : scores.trouble()),
    metrics,
    status: () =>
      describeStatus({
        ...{ view, standings, book: scores.book, scoringRules: settings['scoring.rules'] },
        block: () => block,
        rounds: loop.rounds,
        epoch: () => epochAt(block, epochLength),
        weights: () => weights,
      }),
  })
  closers.add('status server', () => status.close())
  log.info({ uid: self.uid, models: view.wanted, miners: view.miners.length, block }, 'validator started')
  return {
    finish: async () => {
      await Promise.all([loop.done, epoch.done, feed])
      await scores.save()
      const verdicts = standings.totals()
      return { uid: self.uid, hotkey: self.hotkey, rounds: loop.rounds(), verdicts, weightsSet }
    },
  }
}

/** The first picture of the subnet and the first list of models, or no start at all. */
async function firstSync(settings: ValidatorSettings, deps: ValidatorDeps): Promise<Metagraph> {
  return withDeadline(deps.clock, 'the first sync', FIRST_SYNC_TIMEOUT_MS, deps.signal, async (signal) => {
    const [metagraph] = await Promise.all([
      deps.subtensor.metagraph(settings.netuid, signal),
      deps.models.refresh(signal),
    ])
    return metagraph
  })
}
