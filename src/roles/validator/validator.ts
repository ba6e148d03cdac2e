import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { Alerts } from '../../alerts/index.js'
import type { BlockHead, Subtensor } from '../../chain/index.js'
import type { Absence, ReferenceEngine } from '../../engine/index.js'
import type { CleanupStack } from '../../kernel/index.js'
import { createRandom, type QuestionSource } from '../../prompts/index.js'
import {
  createModelSeries,
  noteAlerts,
  noteChain,
  noteEngines,
  noteScoring,
  startStatusServer,
  type ValidatorMetrics,
} from '../../telemetry/index.js'
import type { Signer } from '../../wallet/index.js'
import { createTopic, type RoleDeps, type Topic } from '../role.js'
import { openAlerts } from './alerting/index.js'
import { openCalibrations } from './calibration/index.js'
import {
  type ConfirmedWeights,
  type EpochDeps,
  followBlocks,
  type NotedAttempt,
  startEpochs,
} from './epochs/index.js'
import {
  type EvidenceRow,
  type LevelsFor,
  levelsFrom,
  openCheckedShare,
  openEvidence,
} from './evidence/index.js'
import { type Health, type Watchdog, watchHealth } from './health/index.js'
import { openHub } from './organics/index.js'
import {
  countAnswers,
  noteStanding,
  openRecords,
  type RecentRounds,
  type Records,
  type Status,
  trackRounds,
  trackStatus,
  type ValidatorReport,
  validatorApi,
} from './reports/index.js'
import { connectPorts, type NotServing, type RoundEvents, RoundLoop } from './rounds/index.js'
import { createVerdictCounts, openScores, type Settled, scoreResults } from './scores/index.js'
import { engineStates, type ValidatorContext } from './subnet/index.js'

/** What a validator is given; it closes none of it. */
export interface ValidatorDeps extends RoleDeps, EpochDeps {
  readonly subtensor: Subtensor
  readonly signer: Signer
  /** The current reference engines, ready or not. */
  readonly engines: () => readonly ReferenceEngine[]
  /** Why a model has no engine among them. */
  readonly explainEngine?: (model: string) => Absence
  /** Source of the questions; the bundled ones when absent. */
  readonly questions?: QuestionSource
  readonly metrics?: ValidatorMetrics
  /** Noise levels of the models by calibration; the floors of the settings when absent. */
  readonly levelsFor?: LevelsFor
  /** Told which phase the rounds are in. */
  readonly watchdog?: Pick<Watchdog, 'enter'> | undefined
}

/** What happens in a validator; its services publish and subscribe here instead of calling each other. */
interface ValidatorBus extends RoundEvents {
  readonly head: Topic<BlockHead>
  readonly missed: Topic<NotServing>
  readonly settled: Topic<Settled>
  readonly weights: Topic<ConfirmedWeights>
  readonly attempts: Topic<NotedAttempt>
  readonly resynced: Topic<{ readonly error?: unknown }>
  readonly evidence: Topic<EvidenceRow>
}

export interface Services {
  /** Settles when rounds, epochs and block feed have ended and the scores are saved. */
  readonly done: Promise<ValidatorReport>
  readonly statusUrl: string
  /** Resolves once the validator has shown that it works. */
  readonly healthy: Promise<void>
}

/**
 * Puts the services of a validator together and starts them; `cleanup` closes what they opened. Events reach the services
 * in the order in which these subscribe, which is the order below.
 */
export async function startServices(
  context: ValidatorContext,
  deps: ValidatorDeps,
  cleanup: CleanupStack,
  connect: typeof connectPorts = connectPorts,
): Promise<Services> {
  const { clock, log, settings, view, stateDir } = context
  const { watchdog } = deps
  const bus = createBus()
  trackHead(context, bus)

  const scoreFile = resolve(stateDir, settings['cache-file'])
  const scores = await openScores(scoreFile, view.metagraph, settings['epoch-length'], {
    ...{ clock, log },
    bounds: { maxPenalty: settings['hub.max-penalty'], maxSpeedRatio: settings['hub.max-speed-ratio'] },
  })
  const { book } = scores
  const calibrations = await openCalibrations(context)
  const levelsFor = deps.levelsFor ?? levelsFrom(settings, calibrations.noiseOf)
  const evidence = await openEvidence(context, { levelsFor, events: bus })
  const save = async () => {
    await Promise.all([scores.save(), evidence.save()])
  }
  const verdicts = createVerdictCounts()
  noteMissingEngines(context, deps)
  // A secret: miners that could guess the next seeds or prompts would know which requests are ours.
  const random = createRandom(settings.seed ?? randomBytes(32).toString('hex'))
  const sources = { random: random.fork('prompts'), questions: deps.questions }
  const { ports, close } = await connect(context, sources)
  cleanup.add('connections to miners', close)
  const health = watchHealth(context, { events: bus, scoresTrouble: scores.trouble })
  const hub = openHub(context, { book, verify: ports.verify, evidence, events: bus })
  cleanup.add('hub', () => hub.close())
  const checked = openCheckedShare(context, { random: random.fork('checked'), evidence, events: bus })
  scoreResults(context, { book, verdicts, events: bus })
  countAnswers(context, bus)
  const records = openRecords(context, bus)
  cleanup.add('history', () => records.close())

  const alerts = await openAlerts(context, { evidence, scoresTrouble: scores.trouble, events: bus })
  cleanup.add('alerts', () => alerts.close())
  const epochs = startEpochs(context, { deps, scores, verdicts, evidence, events: bus })
  const rounds = new RoundLoop(context, {
    ports: {
      ...ports,
      weigh: evidence.weigh,
      review: evidence.review,
      // What a stream was worth that made the miner sit rounds out, only a verdict on it says.
      leavesUnchecked: (hotkey, model) =>
        !book.hasSatOut(hotkey, model) && checked.leavesUnchecked(hotkey, model),
    },
    random,
    events: bus,
    hooks: {
      saveScores: save,
      recover: epochs.recover,
      enterPhase: (phase, plannedMs) => watchdog?.enter(phase, plannedMs),
    },
  })
  const status = trackStatus(context, {
    ...{ book, verdicts, evidence, checked, calibrations, rounds, epochs, health, alerts, events: bus },
    ledger: deps.weights,
  })
  const recent = trackRounds(clock, bus)
  const feed = followBlocks(context, bus.head.publish)
  const noteModels = createModelSeries(context.metrics)
  bus.resynced.subscribe(() => noteModels(view.wanted))
  const server = await serveStatus(context, { health, records, recent, status, alerts, noteModels })
  cleanup.add('status server', () => server.close())
  const { self, wanted, miners, block } = view
  log.info(
    { event: 'validator-started', uid: self.uid, models: wanted, miners: miners.length, block },
    'validator started',
  )

  const run = async () => {
    await Promise.all([rounds.done, epochs.done, feed, calibrations.done])
    watchdog?.enter('draining')
    await save()
    return status.report()
  }
  return { done: run(), statusUrl: server.url, healthy: health.healthy }
}

/** Engines that this validator starts itself are reported by the fleet. */
function noteMissingEngines(context: ValidatorContext, { refreshEngines }: ValidatorDeps): void {
  if (refreshEngines !== undefined || context.engines().length > 0) return
  const [missing] = engineStates(context).filter((state) => !state.isReady)
  const { reason, next } = missing ?? { reason: 'no model is wanted', next: undefined }
  context.log.warn(
    { event: 'no-engine', reason, ...(next === undefined ? {} : { next }) },
    'there is no reference engine: no new answer can be verified',
  )
}

/** The first subscriber of every head: the others read the block from the view. */
function trackHead({ view, metrics }: ValidatorContext, bus: ValidatorBus): void {
  bus.head.subscribe(({ number }) => {
    view.noteBlock(number)
    metrics.chainHeadBlock.set(view.block)
  })
  bus.roundEnded.subscribe(({ durationMs }) => metrics.roundDuration.observe(durationMs / 1000))
}

function createBus(): ValidatorBus {
  return {
    head: createTopic(),
    result: createTopic(),
    notServing: createTopic(),
    satOut: createTopic(),
    unchecked: createTopic(),
    missed: createTopic(),
    settled: createTopic(),
    roundJudged: createTopic(),
    roundEnded: createTopic(),
    weights: createTopic(),
    attempts: createTopic(),
    resynced: createTopic(),
    evidence: createTopic(),
  }
}

interface StatusSources {
  readonly health: Health
  readonly records: Records
  readonly recent: RecentRounds
  readonly status: Status
  readonly alerts: Alerts
  readonly noteModels: ReturnType<typeof createModelSeries>
}

function serveStatus(context: ValidatorContext, sources: StatusSources) {
  const { health, records, recent, status, alerts, noteModels } = sources
  const { clock, log, metrics, settings, subtensor } = context
  return startStatusServer({
    port: settings['metrics.port'],
    scrapeAddress: settings['metrics.listen'],
    log,
    live: () => true,
    ready: health.unreadyReason,
    metrics: {
      contentType: metrics.contentType,
      text: () => {
        noteChain(metrics, subtensor)
        noteEngines(metrics, engineStates(context))
        noteScoring(metrics, context.engines())
        noteModels(context.view.wanted)
        noteAlerts(metrics, alerts.active())
        noteStanding(context)
        return metrics.text()
      },
    },
    documents: {
      report: async (query) => ({ ...(await records.report(query)), now: status.current() }),
      rounds: async () => recent.rounds(),
      results: async (query) => recent.results(query),
    },
    api: validatorApi,
    page: {
      role: 'validator',
      clock,
      read: () => ({ status: { ...status.current() }, rounds: recent.rounds() }),
      rowKeys: { status: { miners: 'hotkey' }, rounds: { rounds: 'round' } },
    },
    status: status.current,
  })
}
