import type {
  ChainRefusal,
  WeightEntry,
  WeightsAttemptResult,
  WeightsPipeline,
} from '../../../chain/index.js'
import { SPEC_VERSION, TargonError } from '../../../kernel/index.js'
import { type ScoreBook, type ScoringRules, type WeightVector, weightsFrom } from '../../../scoring/index.js'
import { countedModels, type IsBarred } from '../evidence/index.js'
import type { SubnetView, ValidatorContext } from '../subnet/index.js'
import type { Epoch, WeightsAttempt } from './epoch-task.js'

/** Weights the chain accepted. */
export interface ConfirmedWeights {
  readonly block: number
  readonly path: 'direct' | 'commit'
  readonly entries: readonly WeightEntry[]
}

export interface WeightsJobOptions {
  readonly context: Pick<ValidatorContext, 'log' | 'view' | 'settings' | 'metrics' | 'fail'>
  readonly book: ScoreBook
  readonly isBarred?: IsBarred | undefined
  readonly pipeline: WeightsPipeline
  readonly onSet: (set: ConfirmedWeights) => void
}

/** Refusals that another attempt within the same epoch cannot change. */
const FINAL: ReadonlySet<ChainRefusal['class']> = new Set([
  'version-key',
  'bad-vector',
  'not-registered',
  'commit-too-large',
])
/** Refusal after which the vector is built once more, from a fresh metagraph. */
const REBUILT: ChainRefusal['class'] = 'bad-vector'

/** Scores of all miners the validator may query, by uid, for the models that count. */
export function scoresByUid(
  view: SubnetView,
  book: ScoreBook,
  rules: ScoringRules,
  isBarred?: IsBarred,
): Map<number, number> {
  const wanted = new Set(view.wanted)
  return new Map(
    view.miners.map(({ uid, hotkey }) => [
      uid,
      book.score(hotkey, countedModels(view, book, hotkey, isBarred), wanted, rules),
    ]),
  )
}

/** Sets the weights of one epoch from the current scores; the pipeline ensures that at most one submission is accepted. */
export function createWeightsJob(options: WeightsJobOptions) {
  const { context, book, pipeline, isBarred } = options
  const { log, view, settings, metrics } = context
  const rules = settings['scoring.rules']
  let skippedEpoch = -1
  let rebuiltEpoch = -1
  return async (epoch: Epoch, signal: AbortSignal): Promise<WeightsAttempt> => {
    const vector = weightsFrom(scoresByUid(view, book, rules, isBarred), rules)
    if (vector.kind === 'nothing') {
      const { reason } = vector
      if (skippedEpoch !== epoch.index)
        log.error({ event: 'weights-skipped', epoch: epoch.index, reason }, 'skipped setting weights')
      skippedEpoch = epoch.index
      metrics.weightsAttempts.inc({ result: 'skipped' })
      await pipeline.skip(epoch.index, reason)
      return { kind: 'retry', reason }
    }
    const result = await submit(options, epoch, vector, signal)
    metrics.weightsAttempts.inc({ result: result.kind })
    if (result.kind !== 'refused') return concludeAttempt(options, epoch, result)
    const { refusal } = result
    log.warn({ event: 'weights-refused', epoch: epoch.index, ...refusal }, 'weights not set in this attempt')
    const isWorthRebuilding = refusal.class === REBUILT && rebuiltEpoch !== epoch.index
    if (isWorthRebuilding) rebuiltEpoch = epoch.index
    return {
      kind: FINAL.has(refusal.class) && !isWorthRebuilding ? 'given-up' : 'retry',
      reason: `${refusal.name}: ${refusal.detail}`,
      refusal: refusal.class,
    }
  }
}

/** Logs an attempt that the chain did not refuse. */
function concludeAttempt(
  { context: { log }, onSet }: WeightsJobOptions,
  { index: epoch }: Epoch,
  result: Exclude<WeightsAttemptResult, { kind: 'refused' }>,
): WeightsAttempt {
  switch (result.kind) {
    case 'set': {
      const { block, path, entries } = result
      const uids = entries.map(({ uid }) => uid)
      const weights = entries.map(({ weightU16 }) => weightU16)
      log.info({ event: 'weights-set', block, path, epoch, uids, weights }, 'weights set')
      onSet(result)
      return { kind: 'done' }
    }
    case 'already-set':
      return { kind: 'done' }
    case 'held': {
      const { untilBlock, reason } = result
      log.info(
        { event: 'weights-held', epoch, untilBlock, reason },
        'weights not set: still checking for a second validator',
      )
      return { kind: 'retry', reason, isHeld: true }
    }
    case 'unconfirmed': {
      const { reason } = result
      log.warn({ event: 'weights-unconfirmed', epoch, reason }, 'weights submitted but not confirmed yet')
      return { kind: 'retry', reason }
    }
    case 'skipped': {
      const { reason } = result
      log.warn({ event: 'weights-skipped', epoch, reason }, 'skipped setting weights')
      return { kind: 'retry', reason }
    }
  }
}

async function submit(
  { context, pipeline }: WeightsJobOptions,
  { index, dueBlock: fromBlock, nextBlock: untilBlock }: Epoch,
  { uids, weights: scores }: Extract<WeightVector, { kind: 'weights' }>,
  signal: AbortSignal,
): Promise<WeightsAttemptResult> {
  try {
    const window = { fromBlock, untilBlock }
    return await pipeline.attempt(index, { uids, scores, versionKey: SPEC_VERSION, window }, signal)
  } catch (error) {
    if (error instanceof TargonError && error.fault === 'hotkey-in-use') context.fail(error)
    throw error
  }
}
