import type { Subtensor, WeightsPipeline } from '../../../chain/index.js'
import type { ValidatorSettings } from '../../../config/index.js'
import { type Clock, type Log, TargonError } from '../../../kernel/index.js'
import type { ValidatorMetrics } from '../../../telemetry/index.js'
import type { Signer } from '../../../wallet/index.js'
import type { Scores, Standings } from '../scores/index.js'
import type { SubnetView } from '../subnet/index.js'
import { createBackgroundJob } from './background-job.js'
import { broadcastModels } from './broadcast.js'
import { type Epoch, type EpochTask, startEpochTask } from './epoch-task.js'
import { type ConfirmedWeights, createWeightsJob } from './weights-job.js'

export interface EpochOptions {
  readonly clock: Clock
  readonly log: Log
  readonly settings: ValidatorSettings
  readonly subtensor: Subtensor
  readonly signer: Signer
  readonly view: SubnetView
  readonly scores: Scores
  readonly standings: Standings
  readonly metrics: ValidatorMetrics
  readonly models: { current(): readonly string[]; refresh(signal: AbortSignal): Promise<void> }
  readonly refreshEngines: ((wanted: readonly string[], signal: AbortSignal) => Promise<void>) | undefined
  readonly pipeline: WeightsPipeline
  readonly onHotkeyInUse: (error: TargonError) => void
  readonly onWeights: (set: ConfirmedWeights) => void
  /** Once per epoch whose weights are on chain. */
  readonly afterWeights: ((signal: AbortSignal) => Promise<void>) | undefined
}

/** Longest time until new engines are up: downloading and loading a large model. The fleet itself gives up on one that stalls. */
const ENGINES_TIMEOUT_MS = 4 * 3_600_000

/** While no engine is ready they are looked after this often: one that died comes back within a minute, not an epoch. */
const REVIVAL_MS = 30_000

/** The task, and what the rounds may ask of it. */
export interface RunningEpoch extends EpochTask {
  /** No engine is ready: have them looked after besides the schedule, not too often. */
  reviveEngines(): void
}

/** Puts the jobs of an epoch together and starts the task; the first model lists are asked for at once. */
export function startEpoch(options: EpochOptions, signal: AbortSignal): RunningEpoch {
  const { clock, log, settings, subtensor, signer, view, scores, standings, metrics } = options
  const epochLength = settings['epoch-length']
  const { book } = scores
  const setWeights = createWeightsJob({
    log,
    view,
    book,
    scoringRules: settings['scoring.rules'],
    pipeline: options.pipeline,
    onHotkeyInUse: options.onHotkeyInUse,
    onAttempt: (result) => metrics.weightsAttempts.inc({ result }),
    onSet: (set) => {
      metrics.weightsLastSetBlock.set(set.block)
      options.onWeights(set)
    },
  })
  const engines = createBackgroundJob<readonly string[]>(
    { clock, log, name: 'refreshing the engines', timeoutMs: ENGINES_TIMEOUT_MS },
    async (wanted, inner) => options.refreshEngines?.(wanted, inner),
    signal,
  )
  let settledEpoch: number | undefined
  let lookedEpoch: number | undefined
  const jobs = {
    resync: async (inner: AbortSignal) => {
      const metagraph = await subtensor.metagraph(settings.netuid, inner)
      if (!metagraph.find(signer.address))
        throw new TargonError(`Hotkey ${signer.address} is no longer registered.`, {
          code: 'HOTKEY_NOT_REGISTERED',
          fault: 'chain',
          next: 'Register it again; until then no weights can be set.',
        })
      view.replaceMetagraph(metagraph)
      const present = new Set(metagraph.neurons.map(({ hotkey }) => hotkey))
      const left = book.keepOnly(present)
      standings.keepOnly(present)
      book.expireOrganics(metagraph.block - epochLength)
      if (left.length > 0) log.info({ event: 'miners-left', hotkeys: left }, 'miners left the subnet')
    },
    setWeights: async (epoch: Epoch, inner: AbortSignal) => {
      const attempt = await setWeights(epoch, inner)
      if (attempt.kind === 'done') settledEpoch = epoch.index
      return attempt
    },
    refreshModels: async (inner: AbortSignal) => {
      await options.models.refresh(inner)
      view.replaceWanted(options.models.current())
    },
    refreshEngines: async () => engines.ask(view.wanted),
    broadcast: async (announce: boolean, inner: AbortSignal) => {
      const lists = await broadcastModels(
        view.miners,
        { clock, signer, wanted: view.wanted, announce },
        inner,
      )
      view.replaceServed(lists)
      log.debug(
        { event: 'miners-polled', asked: view.miners.length, answered: lists.size },
        'asked the miners for their models',
      )
    },
    finish: async (epoch: Epoch, inner: AbortSignal) => {
      if (settledEpoch !== epoch.index || lookedEpoch === epoch.index) return
      lookedEpoch = epoch.index
      await options.afterWeights?.(inner)
    },
  }
  const startBlock = view.metagraph.block
  // Right after a restart inside a window the weights may still be owed, as the ledger knows; with an empty book there is
  // nothing to owe.
  const weightsDueAtStart = book.hotkeys.length > 0
  const task = startEpochTask(
    { clock, log, epochLength, jobs, startBlock, weightsDueAtStart, asksAtStart: true },
    signal,
  )
  let revivedAt = clock.monotonic()
  return {
    ...task,
    reviveEngines: () => {
      if (clock.monotonic() - revivedAt < REVIVAL_MS) return
      revivedAt = clock.monotonic()
      engines.ask(view.wanted)
    },
  }
}
