import type {
  ChainRefusal,
  WeightEntry,
  WeightsAttemptResult,
  WeightsPipeline,
} from '../../../chain/index.js'
import { type Log, SPEC_VERSION, TargonError } from '../../../kernel/index.js'
import { type ScoreBook, type ScoringRules, type WeightVector, weightsFrom } from '../../../scoring/index.js'
import type { SubnetView } from '../subnet/index.js'
import type { Epoch, WeightsAttempt } from './epoch-task.js'

/** Weights the chain took. */
export interface ConfirmedWeights {
  readonly block: number
  readonly path: 'direct' | 'commit'
  readonly entries: readonly WeightEntry[]
}

export interface WeightsJobOptions {
  readonly log: Log
  readonly view: SubnetView
  readonly book: ScoreBook
  readonly scoringRules: ScoringRules
  readonly onAttempt: (result: string) => void
  /** Ledger, and watch for other processes. */
  readonly pipeline: WeightsPipeline
  /** Another process sets weights with this hotkey: the role must end. */
  readonly onHotkeyInUse: (error: TargonError) => void
  readonly onSet: (set: ConfirmedWeights) => void
}

/** Refusals that another attempt within the same epoch cannot change. */
const FINAL: ReadonlySet<ChainRefusal['class']> = new Set(['version-key', 'bad-vector', 'not-registered'])
/** Refusal after which the vector is built once more, from the metagraph of then. */
const REBUILT: ChainRefusal['class'] = 'bad-vector'

/** Scores of every miner the validator may judge, by uid. One that has not answered for its models yet has its old ones. */
export function scoresByUid(view: SubnetView, book: ScoreBook, rules: ScoringRules): Map<number, number> {
  const wanted = new Set(view.wanted)
  return new Map(
    view.miners.map(({ uid, hotkey }) => [
      uid,
      book.score(hotkey, view.servedBy(hotkey) ?? book.models(hotkey), wanted, rules),
    ]),
  )
}

/** Sets weights for one epoch from the scores of now; the pipeline sees to it that at most one submission is accepted. */
export function createWeightsJob(options: WeightsJobOptions) {
  const { log, view, book, scoringRules, pipeline } = options
  const submit = submitter(options)
  let alarmed = -1
  let rebuilt = -1
  return async (epoch: Epoch, signal: AbortSignal): Promise<WeightsAttempt> => {
    const vector = weightsFrom(scoresByUid(view, book, scoringRules), scoringRules)
    if (vector.kind === 'nothing') {
      if (alarmed !== epoch.index)
        log.error(
          { event: 'weights-skipped', epoch: epoch.index, reason: vector.reason },
          'skipped the weights of this epoch',
        )
      alarmed = epoch.index
      options.onAttempt('skipped')
      await pipeline.skip(epoch.index, vector.reason)
      return { kind: 'retry', reason: vector.reason }
    }
    const result = await submit(epoch, vector, signal)
    options.onAttempt(result.kind)
    if (result.kind === 'set') {
      const { entries } = result
      const listed = {
        uids: entries.map(({ uid }) => uid),
        weights: entries.map(({ weightU16 }) => weightU16),
      }
      log.info(
        { event: 'weights-set', block: result.block, path: result.path, epoch: epoch.index, ...listed },
        'weights set',
      )
      options.onSet(result)
      return { kind: 'done' }
    }
    if (result.kind === 'already-set') return { kind: 'done' }
    if (result.kind === 'held') {
      log.info(
        { event: 'weights-held', epoch: epoch.index, untilBlock: result.untilBlock, reason: result.reason },
        'weights on hold',
      )
      return { kind: 'retry', reason: result.reason }
    }
    if (result.kind === 'unconfirmed') {
      log.warn(
        { event: 'weights-unconfirmed', epoch: epoch.index, reason: result.reason },
        'weights sent but not confirmed yet',
      )
      return { kind: 'retry', reason: result.reason }
    }
    if (result.kind === 'skipped') {
      log.warn(
        { event: 'weights-skipped', epoch: epoch.index, reason: result.reason },
        'skipped the weights of this epoch',
      )
      return { kind: 'retry', reason: result.reason }
    }
    const { refusal } = result
    log.warn({ event: 'weights-refused', epoch: epoch.index, ...refusal }, 'the chain refused the weights')
    const isWorthAnother = refusal.class === REBUILT && rebuilt !== epoch.index
    if (isWorthAnother) rebuilt = epoch.index
    return {
      kind: FINAL.has(refusal.class) && !isWorthAnother ? 'given-up' : 'retry',
      reason: `${refusal.name}: ${refusal.detail}`,
    }
  }
}

function submitter({ pipeline, onHotkeyInUse }: WeightsJobOptions) {
  return async (
    { index, dueBlock: fromBlock, nextBlock: untilBlock }: Epoch,
    { uids, weights: scores }: Extract<WeightVector, { kind: 'weights' }>,
    signal: AbortSignal,
  ): Promise<WeightsAttemptResult> => {
    try {
      const window = { fromBlock, untilBlock }
      return await pipeline.attempt(index, { uids, scores, versionKey: SPEC_VERSION, window }, signal)
    } catch (error) {
      if (error instanceof TargonError && error.fault === 'hotkey-in-use') onHotkeyInUse(error)
      throw error
    }
  }
}
