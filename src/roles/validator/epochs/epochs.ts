import type { BlockHead, WeightsPipeline } from '../../../chain/index.js'
import type { RefreshReason } from '../../../engine/index.js'
import { messageOf, RAISE_DESCRIPTOR_LIMIT, TargonError } from '../../../kernel/index.js'
import type { Feed, Topic } from '../../role.js'
import type { Evidence } from '../evidence/index.js'
import type { Scores, VerdictCounts } from '../scores/index.js'
import { engineStates, type ValidatorContext } from '../subnet/index.js'
import { type BackgroundJob, createBackgroundJob } from './background-job.js'
import { broadcastModels } from './broadcast.js'
import { EngineRevival } from './engine-revival.js'
import { type Epoch, type EpochJobs, EpochTask, type NextWeights, type WeightsAttempt } from './epoch-task.js'
import { type ConfirmedWeights, createWeightsJob } from './weights-job.js'

type RefreshEngines = (wanted: readonly string[], why: RefreshReason, signal: AbortSignal) => Promise<void>

/** What the epochs get from the command that starts the validator. */
export interface EpochDeps {
  /** Wanted models; a refresh that fails keeps the last good list. */
  readonly models: { current(): readonly string[]; refresh(signal: AbortSignal): Promise<void> }
  /** Starts and stops engines for the wanted models; absent when the set is fixed. */
  readonly refreshEngines?: RefreshEngines | undefined
  /** Sets weights, with a ledger and a check for a second validator. */
  readonly weights: WeightsPipeline
  /** Runs once per epoch after its weights are on chain: the moment for an update. */
  readonly afterWeights?: ((signal: AbortSignal) => Promise<void>) | undefined
}

export interface EpochParts {
  readonly deps: EpochDeps
  readonly scores: Scores
  readonly verdicts: VerdictCounts
  readonly evidence?: Pick<Evidence, 'isBarred' | 'keepOnly'>
  readonly events: {
    readonly head: Feed<BlockHead>
    readonly weights: Topic<ConfirmedWeights>
    readonly attempts: Topic<NotedAttempt>
    /** The metagraph was read, or why it was not. */
    readonly resynced: Topic<{ readonly error?: unknown }>
  }
}

/** How an attempt to set the weights of an epoch ended. */
export type NotedAttempt = WeightsAttempt & { readonly epoch: number }

/** Longest time for new engines to start: downloading and loading a large model. The fleet itself gives up on one that stalls. */
const ENGINES_TIMEOUT_MS = 4 * 3_600_000

export interface Epochs {
  /** No round is possible: refreshes the miners' models, and looks after engines that are missing. */
  recover(): Promise<void>
  nextWeights(): NextWeights
  readonly done: Promise<void>
}

type EnginesJob = BackgroundJob<{ readonly wanted: readonly string[]; readonly why: RefreshReason }>

/** Starts the task that follows the chain from epoch to epoch; the miners are asked for their models at once. */
export function startEpochs(context: ValidatorContext, parts: EpochParts): Epochs {
  const { clock, log, signal, settings, view } = context
  const { scores, deps, events } = parts
  const enginesJob: EnginesJob = createBackgroundJob(
    { clock, log, name: 'refreshing the engines', timeoutMs: ENGINES_TIMEOUT_MS },
    async ({ wanted, why }, inner) => deps.refreshEngines?.(wanted, why, inner),
    signal,
  )
  const task = new EpochTask(
    {
      ...{ clock, log, epochLength: settings['epoch-length'], startBlock: view.metagraph.block },
      jobs: createJobs(context, parts, enginesJob),
      // After a restart within an epoch its weights may still be due, as the ledger knows; an empty book has none to set.
      weightsDueAtStart: scores.book.hotkeys.length > 0,
      refreshAtStart: true,
    },
    signal,
  )
  enginesJob.request({ wanted: view.wanted, why: 'start' })
  const revival = new EngineRevival(clock)
  const reviveEngines = () => {
    const missing = engineStates(context).flatMap(({ model, isReady }) => (isReady ? [] : [model]))
    if (revival.isDue(missing)) enginesJob.request({ wanted: view.wanted, why: 'revival' })
  }
  events.head.subscribe((head) => {
    task.onHead(head)
    reviveEngines()
  })
  return {
    done: task.done,
    nextWeights: () => task.nextWeights(),
    recover: () => {
      reviveEngines()
      return task.requestRefresh()
    },
  }
}

function createJobs(context: ValidatorContext, parts: EpochParts, enginesJob: EnginesJob): EpochJobs {
  const { log, clock, signer, view, metrics } = context
  const { deps, scores, evidence, events } = parts
  const setWeights = createWeightsJob({
    ...{ context, book: scores.book, isBarred: evidence?.isBarred, pipeline: deps.weights },
    onSet: (set) => {
      metrics.weightsLastSetBlock.set(set.block)
      events.weights.publish(set)
    },
  })
  let weightsEpoch: number | undefined
  let finishedEpoch: number | undefined
  return {
    resync: async (signal) => {
      try {
        await resync(context, parts, signal)
        events.resynced.publish({})
      } catch (error) {
        events.resynced.publish({ error })
        throw error
      }
    },
    setWeights: async (epoch: Epoch, signal: AbortSignal) => {
      const attempt = await setWeights(epoch, signal).catch((error: unknown) => {
        if (!context.signal.aborted)
          events.attempts.publish({ kind: 'retry', epoch: epoch.index, reason: messageOf(error) })
        throw error
      })
      events.attempts.publish({ ...attempt, epoch: epoch.index })
      if (attempt.kind === 'done') weightsEpoch = epoch.index
      return attempt
    },
    refreshModels: async (signal) => {
      await deps.models.refresh(signal)
      view.replaceWanted(deps.models.current())
    },
    refreshEngines: async () => enginesJob.request({ wanted: view.wanted, why: 'epoch' }),
    broadcast: async (announce, signal) => {
      let unasked = 0
      const onUnasked = (miners: number) => {
        unasked = miners
        log.warn(
          { event: 'descriptors-exhausted', miners, next: RAISE_DESCRIPTOR_LIMIT },
          'could not open a connection: this process has no file descriptor left',
        )
      }
      const options = { clock, signer, wanted: view.wanted, announce, onUnasked }
      const lists = await broadcastModels(view.miners, options, signal)
      view.replaceServed(lists)
      log.debug(
        { event: 'miners-polled', asked: view.miners.length - unasked, answered: lists.size },
        'asked the miners for their models',
      )
    },
    finish: async (epoch, signal) => {
      if (weightsEpoch !== epoch.index || finishedEpoch === epoch.index) return
      finishedEpoch = epoch.index
      await deps.afterWeights?.(signal)
    },
  }
}

/** Reads the metagraph and drops the scores of miners that left, and organic scores older than an epoch. */
async function resync(
  { log, settings, signer, subtensor, view }: ValidatorContext,
  { scores: { book }, verdicts, evidence }: EpochParts,
  signal: AbortSignal,
): Promise<void> {
  const metagraph = await subtensor.metagraph(settings.netuid, signal)
  if (!metagraph.find(signer.address)) {
    view.replaceMetagraph(metagraph)
    throw new TargonError(`Hotkey ${signer.address} is no longer registered.`, {
      code: 'HOTKEY_NOT_REGISTERED',
      fault: 'chain',
      next: 'Register it again; until then no weights can be set.',
    })
  }
  view.replaceMetagraph(metagraph)
  const registered = new Set(metagraph.neurons.map(({ hotkey }) => hotkey))
  const left = book.keepOnly(registered)
  verdicts.keepOnly(registered)
  evidence?.keepOnly(registered)
  book.expireOrganics(metagraph.block - settings['epoch-length'])
  if (left.length > 0) log.info({ event: 'miners-left', hotkeys: left }, 'miners left the subnet')
}
