import { type Condition, createRecentCounts, type RecentCounts } from '../../../alerts/index.js'
import type { Verdict } from '../../../verification/index.js'
import type { Feed } from '../../role.js'
import type { ValidatorContext } from '../subnet/index.js'

/** The part of a result that tells how verification goes. */
export interface JudgedAnswer {
  readonly verdict: Verdict
  readonly request: { readonly model: string }
  readonly miner: { readonly hotkey: string }
}

export interface VerdictParts {
  readonly events: { readonly result: Feed<JudgedAnswer> }
}

type Known = Pick<ValidatorContext, 'clock' | 'view' | 'settings'>

const WINDOW_MS = 1_800_000
/** Fewer answers say too little. */
const LEAST_ANSWERS = 20
const LEAST_MINERS = 2
const HIGH_SHARE = 0.5

/** Whether verification works, by the verdicts of the last half hour. */
export function verdictConditions(context: Known, { events }: VerdictParts): Condition[] {
  const { clock } = context
  const reasons = createRecentCounts(clock, WINDOW_MS)
  const causes = createRecentCounts(clock, WINDOW_MS)
  const miners = createRecentCounts(clock, WINDOW_MS)
  let verifiedAt = clock.monotonic()
  events.result.subscribe(({ verdict, request: { model }, miner }) => {
    if (verdict.kind === 'verified') verifiedAt = clock.monotonic()
    reasons.note('all', verdict.kind === 'inconclusive' ? verdict.reason : verdict.kind)
    if (verdict.kind === 'inconclusive') return
    causes.note(model, verdict.kind === 'failed' ? verdict.cause : VERIFIED)
    miners.note(model, miner.hotkey)
  })
  return [
    idleCondition(context, () => verifiedAt),
    inconclusiveCondition(reasons),
    failingCondition(context, causes, miners),
  ]
}

const VERIFIED = 'verified'
const CONCLUSIVE: ReadonlySet<string> = new Set([VERIFIED, 'failed'])

function idleCondition({ clock, settings }: Known, verifiedAt: () => number): Condition {
  return {
    ...{ id: 'nothing-verified', severity: 'critical', forMs: 0, settleMs: settings['alert.idle'] * 1000 },
    look: () => {
      const idleMs = clock.monotonic() - verifiedAt()
      if (idleMs < settings['alert.idle'] * 1000) return []
      return [
        {
          sentence: `No answer has been verified for ${Math.round(idleMs / 60_000)} min.`,
          next: 'Check the engines and the verdicts with targon validator report; --alert.idle sets the time.',
        },
      ]
    },
  }
}

function inconclusiveCondition(reasons: RecentCounts): Condition {
  return {
    ...{ id: 'inconclusive-high', severity: 'warning', forMs: 0, settleMs: WINDOW_MS },
    look: () => {
      const counts = [...reasons.of()]
      const all = sum(counts)
      const inconclusive = counts.filter(([label]) => !CONCLUSIVE.has(label))
      const share = sum(inconclusive) / all
      if (all < LEAST_ANSWERS || share <= HIGH_SHARE) return []
      return [
        {
          sentence: `${Math.round(share * 100)} % of the ${all} verdicts of the last half hour are inconclusive, most often because of ${mostOf(inconclusive)}.`,
          next: 'Check the reference engines and the load of this machine: inconclusive is the fault of the validator.',
        },
      ]
    },
  }
}

function failingCondition({ view }: Known, causes: RecentCounts, miners: RecentCounts): Condition {
  return {
    ...{ id: 'model-failing', severity: 'warning', forMs: 0, settleMs: WINDOW_MS },
    look: () =>
      view.wanted.flatMap((model) => {
        const counts = causes.of(model)
        const answers = sum([...counts])
        const asked = miners.of(model).size
        if (answers < LEAST_ANSWERS || asked < LEAST_MINERS || counts.has(VERIFIED)) return []
        return [
          {
            subject: model,
            sentence: `All ${answers} answers of ${asked} miners to ${model} in the last half hour failed, most often with ${mostOf([...counts])}.`,
            next: 'Check that the reference engine serves the same revision of the model as the miners; targon validator calibrate measures it.',
          },
        ]
      }),
  }
}

type Counts = readonly (readonly [string, number])[]

function sum(counts: Counts): number {
  return counts.reduce((all, [, number]) => all + number, 0)
}

function mostOf(counts: Counts): string {
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? ''
}
