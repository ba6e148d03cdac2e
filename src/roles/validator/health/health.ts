import { createDeferred } from '../../../kernel/index.js'
import type { Feed } from '../../role.js'
import type { RoundResult } from '../rounds/index.js'
import { engineStates, explainMissing, type ValidatorContext } from '../subnet/index.js'

/** Blocks come every 12 s; ten missing in a row mean an outage of the chain or of the connection to it. */
const HEAD_TIMEOUT_MS = 120_000

export interface HealthParts {
  readonly events: {
    readonly head: Feed<unknown>
    readonly roundJudged: Feed<readonly Pick<RoundResult, 'verdict'>[]>
  }
  /** Why scores are not saved; undefined when they are. */
  readonly scoresTrouble: () => string | undefined
}

export interface Health {
  /** Resolves once a block has been received and a round has ended with a verdict that is not inconclusive. */
  readonly healthy: Promise<void>
  /** What `/readyz` reports: undefined when the validator can do its work, else the first thing missing. */
  unreadyReason(): string | undefined
}

/** Watches blocks and rounds to tell whether this validator works. */
export function watchHealth(
  context: Pick<ValidatorContext, 'clock' | 'signal' | 'view' | 'engines' | 'explainEngine'>,
  { events, scoresTrouble }: HealthParts,
): Health {
  const { clock, signal } = context
  const firstHead = createDeferred<void>()
  const firstVerdict = createDeferred<void>()
  let headAt = clock.monotonic()
  events.head.subscribe(() => {
    headAt = clock.monotonic()
    firstHead.resolve()
  })
  events.roundJudged.subscribe((results) => {
    if (results.some(({ verdict }) => verdict.kind !== 'inconclusive')) firstVerdict.resolve()
  })
  return {
    healthy: Promise.all([firstHead.promise, firstVerdict.promise]).then(() => {}),
    unreadyReason: () => {
      if (signal.aborted) return 'draining'
      const ageMs = clock.monotonic() - headAt
      if (ageMs > HEAD_TIMEOUT_MS) return `no new block for ${Math.round(ageMs / 1000)} s`
      const states = engineStates(context)
      if (states.some(({ isReady }) => isReady)) return scoresTrouble()
      const missing = explainMissing(states)
      return `no reference engine is ready for a wanted model${missing === '' ? '' : ` (${missing})`}`
    },
  }
}
