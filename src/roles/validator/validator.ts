import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import type { BlockHead } from '../../chain/index.js'
import type { ValidatorSettings } from '../../config/index.js'
import { watchStalls } from '../../inference/index.js'
import { type CleanupStack, type TargonError, withDeadline } from '../../kernel/index.js'
import { createRandom } from '../../prompts/index.js'
import { createMetrics, noteChain, startStatusServer } from '../../telemetry/index.js'
import type { ValidatorDeps } from './deps.js'
import { type ConfirmedWeights, epochAt, followBlocks, startEpoch } from './epochs/index.js'
import { createReadiness, watchHealth } from './health/index.js'
import { openHub } from './organics/index.js'
import { describeStatus, openRecords, type ValidatorReport } from './reports/index.js'
import {
  connectPorts,
  isReady,
  type RoundResult,
  startRoundLoop,
  withPromptDeadline,
} from './rounds/index.js'
import { createResultsSink, createStandings, noteNotServing, openScores } from './scores/index.js'
import type { SubnetView } from './subnet/index.js'

/** A database that takes longer opens beside the work. */
const HISTORY_OPENING_MS = 30_000

export interface WorkOptions {
  readonly settings: ValidatorSettings
  readonly deps: ValidatorDeps
  readonly view: SubnetView
  readonly cleanup: CleanupStack
  /** Ends the role with this error. */
  readonly fail: (error: TargonError) => void
  /** The ways out of a round; the real ones when absent. */
  readonly connect?: typeof connectPorts
}

export interface Work {
  /** Settles when rounds, epoch task and block feed have ended and the scores are saved. */
  readonly done: Promise<ValidatorReport>
  readonly statusUrl: string
  /** Resolves once the validator has proven itself. */
  readonly healthy: Promise<void>
}

/** Puts the parts together and starts them; everything opened is in `cleanup`. */
export async function startWork(options: WorkOptions, signal: AbortSignal): Promise<Work> {
  const { settings, deps, view, cleanup, fail, connect = connectPorts } = options
  const { clock, log, subtensor, signer, engines } = deps
  const metrics = deps.metrics ?? createMetrics('validator')
  const epochLength = settings['epoch-length']
  const scores = await openScores(
    resolve(deps.stateDir, settings['cache-file']),
    view.metagraph,
    epochLength,
    { clock, log },
  )
  const { book } = scores
  const standings = createStandings()
  const health = watchHealth()
  const random = createRandom(settings.seed ?? randomUUID())
  const stalls = watchStalls(clock, signal)
  let block = view.metagraph.block
  let weights: ConfirmedWeights | undefined
  let weightsSet = 0

  const { watchdog } = deps
  if (engines().length === 0)
    log.warn(
      { event: 'no-engine', next: 'Give --engine.endpoints model=url.' },
      'no reference engine: answers cannot be judged and no weights will be set',
    )
  const connected = await connect(settings, {
    ...{ clock, log, signer, random: random.fork('prompts') },
    questions: deps.questions,
  })
  cleanup.add('connections to miners', () => connected.close())
  const hub = openHub(
    settings,
    { clock, log, signer, view, book, engines, verify: connected.ports.verify },
    signal,
  )
  cleanup.add('hub', () => hub.close())
  const records = openRecords(
    settings,
    { clock, log, stateDir: deps.stateDir, validator: signer.address },
    signal,
  )
  cleanup.add('history', () => records.close())

  const sink = createResultsSink({ book, standings, metrics, log })
  const onResult = (result: RoundResult) => {
    sink(result)
    records.onResult(result)
  }
  const onWeights = (set: ConfirmedWeights) => {
    weights = set
    weightsSet++
    hub.onWeights(set.path)
    records.onWeights(set)
  }
  const epoch = startEpoch(
    {
      ...{ clock, log, settings, subtensor, signer, view, scores, standings, metrics, onWeights },
      models: deps.models,
      pipeline: deps.weights,
      onHotkeyInUse: fail,
      refreshEngines: deps.refreshEngines,
      afterWeights: deps.afterWeights,
    },
    signal,
  )
  const loop = startRoundLoop(
    {
      ...{ clock, log, view, random, engines },
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
      // A database that is being opened holds this thread: whoever was asked meanwhile would be timed by a stopped watch.
      begin: withDeadline(clock, 'opening the history', HISTORY_OPENING_MS, signal, () => records.opened),
      // Everybody would refuse what it signs, and fail for it.
      whyNot: () =>
        subtensor.clockOffsetMs === 0 ? undefined : 'this machine’s clock and the chain’s differ',
      onNotServing: (miner, plan, round) => {
        if (noteNotServing(view, book, miner, plan.model, block))
          records.onMiss({ miner, model: plan.model, endpoint: plan.endpoint, round, block })
      },
      onRoundJudged: (results) => {
        health.onRoundJudged(results)
        hub.onRoundJudged(results)
      },
      onRoundEnd: (durationMs) => {
        metrics.roundDuration.observe(durationMs / 1000)
        return scores.save()
      },
      onSkip: () => {
        if (!engines().some(isReady)) epoch.reviveEngines()
        return epoch.askRefresh()
      },
      onPhase: (phase, plannedMs) => watchdog?.enter(phase, plannedMs),
    },
    signal,
  )
  const readiness = createReadiness({
    ...{ clock, view, engines, isDraining: () => signal.aborted, scoresTrouble: scores.trouble },
  })
  const feed = followBlocks(
    subtensor,
    clock,
    log,
    (head: BlockHead) => {
      block = Math.max(block, head.number)
      metrics.chainHeadBlock.set(block)
      readiness.onHead()
      health.onHead()
      epoch.onHead(head)
      hub.onBlock(block)
    },
    signal,
  )
  const statusNow = () =>
    describeStatus({
      ...{ view, standings, book, scoringRules: settings['scoring.rules'] },
      block: () => block,
      rounds: loop.rounds,
      epoch: () => epochAt(block, epochLength),
      weights: () => weights,
    })
  const status = await startStatusServer({
    port: settings['metrics.port'],
    log,
    live: () => true,
    ready: readiness.whyNot,
    metrics: {
      contentType: metrics.contentType,
      text: () => {
        noteChain(metrics, subtensor)
        return metrics.text()
      },
    },
    documents: { report: async (query) => ({ ...(await records.report(query)), now: statusNow() }) },
    status: statusNow,
  })
  cleanup.add('status server', () => status.close())
  log.info(
    {
      event: 'validator-started',
      uid: view.self.uid,
      models: view.wanted,
      miners: view.miners.length,
      block,
    },
    'validator started',
  )

  const work = async (): Promise<ValidatorReport> => {
    await Promise.all([loop.done, epoch.done, feed])
    watchdog?.enter('draining')
    await scores.save()
    const { uid, hotkey } = view.self
    return { uid, hotkey, rounds: loop.rounds(), verdicts: standings.totals(), weightsSet }
  }
  return { done: work(), statusUrl: status.url, healthy: health.healthy }
}
