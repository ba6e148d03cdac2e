import type { BlockHead } from '../../../chain/index.js'
import { type Clock, type Log, withDeadline } from '../../../kernel/index.js'

/** How an attempt to set weights ended. */
export type WeightsAttempt =
  /** On chain; nothing left to do in this epoch. */
  | { readonly kind: 'done' }
  /** Worth another attempt while the window is open. */
  | ({ readonly kind: 'retry' } & UnsetWeights)
  /** Repeating it within this epoch is pointless. */
  | ({ readonly kind: 'given-up' } & UnsetWeights)

export interface UnsetWeights {
  readonly reason: string
  /** Class of the refusal, when the chain or the check of its endpoints refused them. */
  readonly refusal?: string
  /** They wait for the check for a second validator, as they should. */
  readonly isHeld?: boolean
}

/** The jobs of an epoch, run one after the other; one that fails or hangs does not affect the others. */
export interface EpochJobs {
  readonly resync: (signal: AbortSignal) => Promise<void>
  readonly setWeights: (epoch: Epoch, signal: AbortSignal) => Promise<WeightsAttempt>
  readonly refreshModels: (signal: AbortSignal) => Promise<void>
  readonly refreshEngines: (signal: AbortSignal) => Promise<void>
  /** Asks the miners for their models; `announce` also sends them the wanted ones. */
  readonly broadcast: (announce: boolean, signal: AbortSignal) => Promise<void>
  /** Runs after all other jobs of an epoch, and again after weights that were set late. */
  readonly finish: (epoch: Epoch, signal: AbortSignal) => Promise<void>
}

export interface Epoch {
  readonly index: number
  /** First block of this epoch, at which its weights are due. */
  readonly dueBlock: number
  /** First block of the next epoch. */
  readonly nextBlock: number
}

/** When weights are set next. */
export interface NextWeights {
  readonly block: number
  /** Why the last attempt of this epoch set none; undefined when it did, or when there was none. */
  readonly reason?: string
}

export interface EpochTaskOptions {
  readonly clock: Clock
  readonly log: Log
  readonly epochLength: number
  readonly jobs: EpochJobs
  /** Block at which the validator started. */
  readonly startBlock: number
  /** False when there is nothing to set yet. */
  readonly weightsDueAtStart: boolean
  /** Asks the miners for their models at once: a miner has no score until it has answered. */
  readonly refreshAtStart?: boolean
  readonly onPhase?: (phase: string) => void
}

const DEADLINES_MS = {
  resync: 60_000,
  weights: 180_000,
  models: 20_000,
  engines: 60_000,
  broadcast: 10_000,
  finish: 10_000,
}
/** How often the metagraph and the miners' models are refreshed within an epoch. */
const REFRESHES_PER_EPOCH = 6
const MAX_RETRY_BLOCKS = 16

export function epochAt(block: number, epochLength: number): Epoch {
  const index = Math.floor(block / epochLength)
  return { index, dueBlock: index * epochLength, nextBlock: (index + 1) * epochLength }
}

/**
 * The serial task that follows the chain. Acts when a head is at or beyond the due block, once per epoch index, so that
 * skipped, repeated and late heads change nothing (4.4.1 tested `block % 360 == 0` and lost an epoch with its block).
 */
export class EpochTask {
  /** Resolves when the signal has aborted and the current job has ended. */
  readonly done: Promise<void>
  readonly #options: EpochTaskOptions
  readonly #signal: AbortSignal
  #block: number
  #epoch: Epoch
  #weightsPending: boolean
  #attempts = 0
  #lastReason: string | undefined
  /** Block of the next attempt to set weights. */
  #attemptBlock: number
  #refreshBlock: number
  #refreshRequested: boolean
  readonly #refreshWaiters: (() => void)[] = []
  #hasNews = false
  #wake: () => void = () => {}

  constructor(options: EpochTaskOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
    this.#block = options.startBlock
    this.#epoch = epochAt(this.#block, options.epochLength)
    this.#weightsPending = options.weightsDueAtStart
    this.#attemptBlock = this.#block
    this.#refreshBlock = this.#block
    this.#refreshRequested = options.refreshAtStart ?? false
    signal.addEventListener('abort', () => this.#notify(), { once: true })
    this.done = this.#run()
  }

  /** Takes a new head; never blocks, the newest one wins. */
  onHead(head: BlockHead): void {
    if (head.number <= this.#block) return
    this.#block = head.number
    this.#notify()
  }

  /** The block of the next attempt to set weights; of the next epoch when those of this one are settled. */
  nextWeights(): NextWeights {
    const block = this.#weightsPending ? this.#attemptBlock : this.#epoch.nextBlock
    return { block, ...(this.#lastReason === undefined ? {} : { reason: this.#lastReason }) }
  }

  /** Requests a resync and the miners' models outside the schedule. Resolves when that is done, or when the signal aborts. */
  requestRefresh(): Promise<void> {
    this.#refreshRequested = true
    this.#notify()
    return new Promise((resolve) => this.#refreshWaiters.push(resolve))
  }

  async #run(): Promise<void> {
    while (!this.#signal.aborted) {
      this.#hasNews = false
      await this.#act()
      this.#options.onPhase?.('waiting')
      if (!this.#hasNews) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
    this.#releaseWaiters()
  }

  #notify(): void {
    this.#hasNews = true
    this.#wake()
  }

  async #act(): Promise<void> {
    const { epochLength, jobs } = this.#options
    const current = epochAt(this.#block, epochLength)
    if (current.index > this.#epoch.index) return this.#begin(current)
    const weightsDue = this.#weightsPending && this.#block >= this.#attemptBlock
    const refreshBlocks = Math.max(1, Math.floor(epochLength / REFRESHES_PER_EPOCH))
    const refreshDue = this.#refreshRequested || this.#block - this.#refreshBlock >= refreshBlocks
    if (weightsDue || refreshDue) await this.#job('resync', jobs.resync)
    if (refreshDue) await this.#refresh(false)
    if (!weightsDue) return
    await this.#tryWeights()
    if (!this.#weightsPending) await this.#finish()
  }

  async #begin(next: Epoch): Promise<void> {
    const { log, jobs } = this.#options
    const { index } = this.#epoch
    if (this.#weightsPending)
      log.error(
        { event: 'epoch-without-weights', epoch: index },
        'the epoch ended before its weights were set',
      )
    if (next.index > index + 1)
      log.error({ event: 'epochs-missed', from: index, to: next.index }, 'missed one or more epochs')
    this.#epoch = next
    this.#weightsPending = true
    this.#attempts = 0
    this.#lastReason = undefined
    this.#attemptBlock = this.#block
    await this.#job('resync', jobs.resync)
    await this.#tryWeights()
    await this.#job('models', jobs.refreshModels)
    await this.#job('engines', jobs.refreshEngines)
    await this.#refresh(true)
    await this.#finish()
  }

  async #tryWeights(): Promise<void> {
    let attempt: WeightsAttempt = { kind: 'retry', reason: 'the job did not finish' }
    await this.#job('weights', async (signal) => {
      attempt = await this.#options.jobs.setWeights(this.#epoch, signal)
    })
    this.#attempts++
    this.#lastReason = reasonOf(attempt)
    this.#weightsPending = attempt.kind === 'retry'
    this.#attemptBlock = this.#block + Math.min(2 ** this.#attempts, MAX_RETRY_BLOCKS)
  }

  async #refresh(announce: boolean): Promise<void> {
    this.#refreshBlock = this.#block
    this.#refreshRequested = false
    await this.#job('broadcast', (signal) => this.#options.jobs.broadcast(announce, signal))
    this.#releaseWaiters()
  }

  #finish(): Promise<void> {
    return this.#job('finish', (signal) => this.#options.jobs.finish(this.#epoch, signal))
  }

  #releaseWaiters(): void {
    for (const resolve of this.#refreshWaiters.splice(0)) resolve()
  }

  async #job(job: keyof typeof DEADLINES_MS, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { clock, log, onPhase } = this.#options
    onPhase?.(job)
    try {
      await withDeadline(clock, `the epoch job ${job}`, DEADLINES_MS[job], this.#signal, work)
    } catch (error) {
      if (!this.#signal.aborted)
        log.warn(
          { event: 'epoch-job-failed', job, epoch: this.#epoch.index, err: error },
          'an epoch job failed',
        )
    }
  }
}

function reasonOf(attempt: WeightsAttempt): string | undefined {
  return attempt.kind === 'done' ? undefined : attempt.reason
}
