import type { Condition } from '../../../alerts/index.js'
import type { Clock } from '../../../kernel/index.js'
import type { Exchange } from './exchange.js'

export interface OrganicsParts {
  readonly clock: Pick<Clock, 'monotonic'>
  /** `alert.idle` in milliseconds. */
  readonly idleMs: number
  readonly organics: {
    /** Undefined when nothing is kept. */
    readonly buckets: object | undefined
    readonly counts: () => { readonly rows: number }
  }
  readonly exchange: Pick<Exchange, 'counts'>
}

/** Whether validators take users’ requests and report on them: without them a cheat is found by nothing but its failures. */
export function organicsConditions(parts: OrganicsParts): Condition[] {
  const { organics, exchange, idleMs } = parts
  const handedOut = () => exchange.counts().handedOut
  const reported = () => exchange.counts().reported
  const hours = Math.round(idleMs / 360_000) / 10
  return [
    quietCondition(parts, 'organics-not-collected', handedOut, {
      // Without requests there is nothing to collect.
      applies: () => organics.buckets !== undefined && organics.counts().rows > 0,
      sentence: `No validator has collected users’ requests for ${hours} h, so nothing verifies what users are answered.`,
      next: 'Check that validators reach this hub (their --hub.url), that --hub.validators allows them, and that they verify the models that users ask for.',
    }),
    quietCondition(parts, 'organics-not-reported', reported, {
      applies: () => organics.buckets !== undefined && exchange.counts().awaited > 0,
      sentence: `Validators collect users’ requests, but none has reported a verdict for ${hours} h.`,
      next: 'Ask the operators of the validators to look for the event hub-report-failed, or for organics-scored at the level debug.',
    }),
  ]
}

interface QuietAlert {
  readonly applies: () => boolean
  readonly sentence: string
  readonly next: string
}

/** Raised while a counter has not grown for `idleMs` in which it should have. */
function quietCondition(
  { clock, idleMs }: OrganicsParts,
  id: string,
  count: () => number,
  { applies, sentence, next }: QuietAlert,
): Condition {
  let before = count()
  let grewAt = clock.monotonic()
  return {
    ...{ id, severity: 'warning', forMs: 0, settleMs: idleMs },
    look: () => {
      const now = count()
      if (now !== before || !applies()) grewAt = clock.monotonic()
      before = now
      return clock.monotonic() - grewAt < idleMs ? [] : [{ sentence, next }]
    },
  }
}
