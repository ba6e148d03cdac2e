import type { BlockHead } from '../../../chain/index.js'
import { type Clock, type Log, withDeadline } from '../../../kernel/index.js'

/** How an attempt to set weights ended. */
export type WeightsAttempt =
  /** On chain; nothing left to do in this epoch. */
  | { readonly kind: 'done' }
  /** Worth another attempt while the window is open. */
  | { readonly kind: 'retry'; readonly reason: string }
  /** Pointless to repeat within this epoch. */
  | { readonly kind: 'given-up'; readonly reason: string }

/** What is to be done, one after the other; each may fail or hang without touching the others. */
export interface EpochJobs {
  readonly resync: (signal: AbortSignal) => Promise<void>
  readonly setWeights: (epoch: Epoch, signal: AbortSignal) => Promise<WeightsAttempt>
  readonly refreshModels: (signal: AbortSignal) => Promise<void>
  readonly refreshEngines: (signal: AbortSignal) => Promise<void>
  /** Asks the miners for their models; `announce` tells them the wanted ones as well. */
  readonly broadcast: (announce: boolean, signal: AbortSignal) => Promise<void>
  /** After everything else of an epoch, and again after weights that came late. */
  readonly finish: (epoch: Epoch, signal: AbortSignal) => Promise<void>
}

export interface Epoch {
  readonly index: number
  /** First block of the window, and of the next one. */
  readonly dueBlock: number
  readonly nextBlock: number
}

export interface EpochTaskOptions {
  readonly clock: Clock
  readonly log: Log
  readonly epochLength: number
  readonly jobs: EpochJobs
  /** Block at which the validator started. */
  readonly startBlock: number
  /** False when this epoch's weights are on chain already, or there is nothing to set yet. */
  readonly weightsDueAtStart: boolean
  /** Ask the miners for their models at once: until they have answered nobody has a score. */
  readonly asksAtStart?: boolean
  readonly onPhase?: (phase: string) => void
}

export interface EpochTask {
  /** A new head; never blocks, the newest one wins. */
  onHead(head: BlockHead): void
  /** Resync and ask for models soon, besides the schedule. Resolves when it was done, or at the abort. */
  askRefresh(): Promise<void>
  readonly current: () => Epoch
  readonly done: Promise<void>
}

const DEADLINES_MS = {
  resync: 60_000,
  weights: 180_000,
  models: 20_000,
  engines: 60_000,
  broadcast: 10_000,
  finish: 10_000,
}
/** Between two epochs the list of miners and models is read this often. */
const REFRESHES_PER_EPOCH = 6
const MAX_RETRY_BLOCKS = 16

export function epochAt(block: number, epochLength: number): Epoch {
  const index = Math.floor(block / epochLength)
  return { index, dueBlock: index * epochLength, nextBlock: (index + 1) * epochLength }
}

/**
 * The one serial task that follows the chain. Acts when a head is at or beyond the due block, once per epoch index, so
 * skipped, repeated and late heads change nothing (4.4.1 tested `block % 360 == 0` and lost an epoch with its block).
 */
export function startEpochTask(options: EpochTaskOptions, signal: AbortSignal): EpochTask {
  const { clock, log, epochLength, jobs } = options
  let block = options.startBlock
  let epoch = epochAt(block, epochLength)
  let pending = options.weightsDueAtStart
  let attempts = 0
  let nextAttempt = block
  let refreshedAt = block
  let refreshAsked = options.asksAtStart ?? false
  const refreshWaiters: (() => void)[] = []
  let stirred = false
  let wake: () => void = () => {}

  const run = async (job: keyof typeof DEADLINES_MS, work: (signal: AbortSignal) => Promise<void>) => {
    options.onPhase?.(job)
    try {
      await withDeadline(clock, `the epoch job ${job}`, DEADLINES_MS[job], signal, work)
    } catch (error) {
      if (!signal.aborted)
        log.warn(
          { event: 'epoch-job-failed', job, epoch: epoch.index, err: error },
          'a job of the epoch failed',
        )
    }
  }

  const tryWeights = async () => {
    let attempt: WeightsAttempt = { kind: 'retry', reason: 'the job did not finish' }
    await run('weights', async (inner) => {
      attempt = await jobs.setWeights(epoch, inner)
    })
    attempts++
    pending = attempt.kind === 'retry'
    nextAttempt = block + Math.min(2 ** attempts, MAX_RETRY_BLOCKS)
  }

  const releaseWaiters = () => {
    for (const resolve of refreshWaiters.splice(0)) resolve()
  }
  const refresh = async (announce: boolean) => {
    refreshedAt = block
    refreshAsked = false
    await run('broadcast', (inner) => jobs.broadcast(announce, inner))
    releaseWaiters()
  }

  const beginEpoch = async (next: Epoch) => {
    if (pending)
      log.error({ event: 'epoch-without-weights', epoch: epoch.index }, 'the epoch ended without weights')
    if (next.index > epoch.index + 1)
      log.error({ event: 'epochs-missed', from: epoch.index, to: next.index }, 'missed one or more epochs')
    epoch = next
    pending = true
    attempts = 0
    await run('resync', jobs.resync)
    await tryWeights()
    await run('models', jobs.refreshModels)
    await run('engines', jobs.refreshEngines)
    await refresh(true)
    await run('finish', (inner) => jobs.finish(epoch, inner))
  }

  const act = async () => {
    const now = epochAt(block, epochLength)
    if (now.index > epoch.index) return beginEpoch(now)
    const weightsDue = pending && block >= nextAttempt
    const refreshDue =
      refreshAsked || block - refreshedAt >= Math.max(1, Math.floor(epochLength / REFRESHES_PER_EPOCH))
    if (weightsDue || refreshDue) await run('resync', jobs.resync)
    if (refreshDue) await refresh(false)
    if (!weightsDue) return
    await tryWeights()
    if (!pending) await run('finish', (inner) => jobs.finish(epoch, inner))
  }

  const stir = () => {
    stirred = true
    wake()
  }
  signal.addEventListener('abort', stir, { once: true })
  const loop = async () => {
    while (!signal.aborted) {
      stirred = false
      await act()
      options.onPhase?.('waiting')
      if (!stirred) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
    releaseWaiters()
  }

  return {
    onHead: (head) => {
      if (head.number <= block) return
      block = head.number
      stir()
    },
    askRefresh: () => {
      refreshAsked = true
      stir()
      return new Promise((resolve) => refreshWaiters.push(resolve))
    },
    current: () => epochAt(block, epochLength),
    done: loop(),
  }
}
