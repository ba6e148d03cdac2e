import type { Condition } from '../../../alerts/index.js'
import { implausibleFindings } from '../../chain-conditions.js'
import type { Feed } from '../../role.js'
import type { ConfirmedWeights, NotedAttempt } from '../epochs/index.js'
import type { ValidatorContext } from '../subnet/index.js'

export interface WeightsParts {
  readonly events: {
    readonly weights: Feed<ConfirmedWeights>
    readonly attempts: Feed<NotedAttempt>
    readonly resynced: Feed<{ readonly error?: unknown }>
  }
}

/** Weights are due at every multiple of the epoch length, and an attempt may wait for 16 blocks. */
const LATE_EPOCHS = 1.25
/** One attempt that fails is tried again within a few blocks. */
const REFUSED_FOR_MS = 120_000
/** The first attempt after a start may come at the end of an epoch of 360 blocks. */
const NEXT_ATTEMPT_MS = 4_500_000
/** A chain that disagrees about the subnet stops the weights at once. */
const DIFFERENT = 'endpoints-differ'

/** Whether weights reach the chain: they carry the rewards of this validator. */
export function weightsConditions(
  context: Pick<ValidatorContext, 'view' | 'settings'>,
  { events }: WeightsParts,
): Condition[] {
  let attempt: NotedAttempt | undefined
  let setBlock = 0
  let resyncError: unknown
  events.attempts.subscribe((noted) => {
    attempt = noted
  })
  events.weights.subscribe(({ block }) => {
    setBlock = block
  })
  events.resynced.subscribe(({ error }) => {
    resyncError = error
  })
  return [
    lateCondition(context, () => setBlock),
    refusedCondition(() => attempt),
    differCondition(
      () => attempt,
      () => resyncError,
    ),
  ]
}

function lateCondition(
  { view, settings }: Pick<ValidatorContext, 'view' | 'settings'>,
  setBlock: () => number,
): Condition {
  const startBlock = view.block
  return {
    ...{ id: 'weights-late', severity: 'critical', forMs: 0 },
    look: () => {
      const lastBlock = Math.max(view.self.lastUpdateBlock, setBlock())
      const known = lastBlock > 0 ? lastBlock : startBlock
      const age = view.block - known
      if (age <= settings['epoch-length'] * LATE_EPOCHS) return []
      const last =
        lastBlock > 0
          ? `were last set at block ${lastBlock}, ${age} blocks ago,`
          : `have not been set for ${age} blocks`
      return [
        {
          sentence: `The weights of this validator ${last} and are due every ${settings['epoch-length']} blocks.`,
          next: 'Look for the events weights-refused, weights-skipped and epoch-job-failed in the log.',
        },
      ]
    },
  }
}

function refusedCondition(attempt: () => NotedAttempt | undefined): Condition {
  return {
    ...{ id: 'weights-refused', severity: 'critical', forMs: REFUSED_FOR_MS, settleMs: NEXT_ATTEMPT_MS },
    look: () => {
      const last = attempt()
      if (last === undefined || last.kind === 'done' || last.isHeld || isDifference(last)) return []
      return [
        {
          sentence: `The last attempt to set weights, for epoch ${last.epoch}, did not succeed: ${last.reason}.`,
          next:
            last.kind === 'given-up'
              ? 'This epoch is lost; remove the cause before the next one.'
              : 'The validator tries again until the epoch ends.',
        },
      ]
    },
  }
}

function differCondition(attempt: () => NotedAttempt | undefined, resyncError: () => unknown): Condition {
  return {
    ...{ id: 'endpoints-differ', severity: 'critical', forMs: 0, settleMs: NEXT_ATTEMPT_MS },
    look: () => {
      const last = attempt()
      const implausible = implausibleFindings(resyncError())
      if (implausible.length > 0) return implausible
      if (last === undefined || last.kind === 'done' || !isDifference(last)) return []
      return [
        {
          sentence: `The chain endpoints disagree, so no weights are set: ${last.reason}.`,
          next: 'Find out which endpoint is wrong, and remove it from --subtensor.chain_endpoint.',
        },
      ]
    },
  }
}

function isDifference(attempt: NotedAttempt): boolean {
  return attempt.kind !== 'done' && attempt.refusal === DIFFERENT
}
