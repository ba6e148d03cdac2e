import { z } from 'zod'
import { type ActiveAlert, activeAlert } from '../../../alerts/index.js'
import type { WeightsPipeline } from '../../../chain/index.js'
import type { Feed } from '../../role.js'
import { neuronStanding, standingOf } from '../../standing.js'
import { type Calibrations, calibrationState } from '../calibration/index.js'
import { type ConfirmedWeights, type Epochs, epochAt } from '../epochs/index.js'
import type { CheckedShare, Evidence } from '../evidence/index.js'
import type { RoundResult } from '../rounds/index.js'
import { type EngineState, engineStates, type ValidatorContext } from '../subnet/index.js'
import { describeMiners, type ScoredParts, scoredMiner } from './status-miners.js'

const chainInUse = z.object({
  network: z.string(),
  /** Address in use; null when it contains credentials. */
  endpoint: z.string().nullable(),
  genesisHash: z.string(),
  netuid: z.number().int(),
  /** When the newest block arrived, ISO 8601 in UTC; null before the first. */
  headAt: z.string().nullable().optional(),
  /** Connections that replaced a broken one since the start. */
  reconnects: z.number().int().optional(),
  /** Milliseconds by which this machine's clock is ahead of the chain, negative if behind; 0 while they agree. */
  clockOffsetMs: z.number().optional(),
})

const weightVector = z.object({
  block: z.number().int(),
  entries: z.array(z.object({ uid: z.number().int(), weightU16: z.number().int() })),
})

const judgedRound = z.object({
  /** From 0. */
  round: z.number().int(),
  model: z.string(),
  /** When the last verdict came, ISO 8601 in UTC. */
  judgedAt: z.string(),
  verified: z.number().int(),
  failed: z.number().int(),
  inconclusive: z.number().int(),
})

/** The document of `GET /status` on the status port. */
export const validatorStatus = z.object({
  role: z.literal('validator'),
  /** When this process started, ISO 8601 in UTC. Absent in the status of earlier releases, like `history` and `chain`. */
  startedAt: z.string().optional(),
  /** The launcher started it, so that releases are started and rolled back. */
  launched: z.boolean().optional(),
  /** Whether it keeps a history. */
  history: z.boolean().optional(),
  /** The chain it uses, so that commands beside it use the same. */
  chain: chainInUse.optional(),
  uid: z.number().int(),
  hotkey: z.string(),
  /** What is missing, as /readyz reports; null when nothing is. Absent in the status of earlier releases, like `standing`. */
  unready: z.string().nullable().optional(),
  standing: neuronStanding.optional(),
  /** Newest block received. */
  block: z.number().int(),
  epoch: z.object({
    index: z.number().int(),
    /** From this block on the weights of this epoch are set. Absent in the status of earlier releases. */
    dueBlock: z.number().int().optional(),
    nextBlock: z.number().int(),
  }),
  /** Wanted models. */
  models: z.array(z.string()),
  /** The reference engines of the wanted models; why one is not ready, and what to do. */
  engines: z
    .array(
      z.object({
        model: z.string(),
        ready: z.boolean(),
        reason: z.string().optional(),
        next: z.string().optional(),
      }),
    )
    // A validator of an earlier release names none.
    .default([]),
  /** Rounds started by this process. */
  rounds: z.number().int(),
  /** The last round whose answers all have their verdict; null before the first. */
  lastRound: judgedRound.nullable().optional(),
  /** The last weights this process set and saw confirmed. */
  weights: weightVector.nullable(),
  /** The last weights of this hotkey that its ledger knows to be on chain, also from before this process; null for none. */
  lastSubmission: z.object({ epoch: z.number().int(), block: z.number().int() }).nullable().optional(),
  /** Those that this process set before them; null when it set none. */
  previousWeights: weightVector.nullable().optional(),
  /** When weights are set next, and why the last attempt of this epoch set none. */
  nextWeights: z.object({ block: z.number().int(), reason: z.string().optional() }).optional(),
  miners: z.array(scoredMiner),
  /** Decimal logarithm of the wealth at which evidence accuses. */
  evidenceThreshold: z.number().optional(),
  /** How many answers of trusted miners are checked, and how many miners and models are trusted. Absent while all are. */
  checking: z.object({ share: z.number(), trusted: z.number().int() }).optional(),
  /** How far the engines of the wanted models are calibrated. */
  calibrations: z.array(calibrationState).optional(),
  /** What its operator should look after, the most severe first. */
  alerts: z.array(activeAlert).optional(),
})

export type ValidatorStatus = z.output<typeof validatorStatus>

/** What a validator did, returned when it has drained. */
export interface ValidatorReport {
  readonly uid: number
  readonly hotkey: string
  readonly rounds: number
  readonly verdicts: { readonly verified: number; readonly failed: number; readonly inconclusive: number }
  /** Epochs whose weights this process set and saw confirmed. */
  readonly weightsSet: number
}

export interface StatusParts extends ScoredParts {
  readonly evidence?: (NonNullable<ScoredParts['evidence']> & Pick<Evidence, 'threshold'>) | undefined
  readonly checked?: Pick<CheckedShare, 'trusted'> | undefined
  readonly calibrations?: Pick<Calibrations, 'states'> | undefined
  readonly rounds: { readonly started: number }
  readonly alerts?: { readonly active: () => ActiveAlert[] }
  readonly epochs?: Pick<Epochs, 'nextWeights'>
  readonly ledger?: Pick<WeightsPipeline, 'lastConfirmed'>
  readonly health?: { readonly unreadyReason: () => string | undefined }
  readonly events: {
    readonly weights: Feed<ConfirmedWeights>
    readonly roundJudged?: Feed<readonly RoundResult[]>
    readonly head?: Feed<unknown>
  }
}

export interface Status {
  /** The document of `GET /status`. */
  current(): ValidatorStatus
  /** The report at the end. */
  report(): ValidatorReport
}

/** Describes what the validator is doing and has done. */
export function trackStatus(
  context: Pick<ValidatorContext, 'settings' | 'view' | 'clock' | 'subtensor' | 'engines' | 'explainEngine'>,
  {
    book,
    verdicts,
    evidence,
    checked,
    calibrations,
    rounds,
    epochs,
    ledger,
    health,
    alerts,
    events,
  }: StatusParts,
): Status {
  const { settings, view, clock, subtensor } = context
  let weights: ConfirmedWeights | undefined
  let previousWeights: ConfirmedWeights | undefined
  let headAt: string | null = null
  let weightsSet = 0
  let lastRound: z.output<typeof judgedRound> | undefined
  const startedAt = new Date(clock.now()).toISOString()
  events.head?.subscribe(() => {
    headAt = new Date(clock.now()).toISOString()
  })
  events.weights.subscribe((set) => {
    previousWeights = weights
    weights = set
    weightsSet++
  })
  events.roundJudged?.subscribe((results) => {
    lastRound = describeRound(results) ?? lastRound
  })
  return {
    current: () => {
      const { uid, hotkey } = view.self
      return {
        role: 'validator',
        startedAt,
        launched: settings.launched,
        history: settings.history,
        chain: {
          network: settings['subtensor.network'],
          endpoint: withoutCredentials(subtensor.endpoint),
          genesisHash: subtensor.genesisHash,
          netuid: settings.netuid,
          headAt,
          reconnects: subtensor.reconnects,
          clockOffsetMs: subtensor.clockOffsetMs,
        },
        uid,
        hotkey,
        ...(health ? { unready: health.unreadyReason() ?? null } : {}),
        standing: standingOf(view.self),
        block: view.block,
        epoch: { ...epochAt(view.block, settings['epoch-length']) },
        models: [...view.wanted],
        engines: engineStates(context).map(describeEngine),
        rounds: rounds.started,
        lastRound: lastRound ?? null,
        weights: vectorOf(weights),
        previousWeights: vectorOf(previousWeights),
        ...(ledger ? { lastSubmission: ledger.lastConfirmed ?? null } : {}),
        ...(epochs ? { nextWeights: epochs.nextWeights() } : {}),
        miners: describeMiners(view, { book, verdicts, evidence }, settings['scoring.rules']),
        ...(evidence ? { evidenceThreshold: evidence.threshold() } : {}),
        ...describeChecking(settings, checked),
        ...(calibrations ? { calibrations: [...calibrations.states()] } : {}),
        alerts: alerts?.active() ?? [],
      }
    },
    report: () => {
      const { uid, hotkey } = view.self
      return { uid, hotkey, rounds: rounds.started, verdicts: verdicts.totals(), weightsSet }
    },
  }
}

function describeRound(results: readonly RoundResult[]): z.output<typeof judgedRound> | undefined {
  const [first] = results
  if (!first) return undefined
  const count = (kind: RoundResult['verdict']['kind']) =>
    results.filter(({ verdict }) => verdict.kind === kind).length
  return {
    round: first.round,
    model: first.request.model,
    judgedAt: new Date(Math.max(...results.map(({ at }) => at))).toISOString(),
    ...{ verified: count('verified'), failed: count('failed'), inconclusive: count('inconclusive') },
  }
}

function describeChecking(
  settings: Pick<ValidatorContext['settings'], 'evidence.checked-share'>,
  checked: StatusParts['checked'],
): Pick<ValidatorStatus, 'checking'> {
  const share = settings['evidence.checked-share']
  return checked && share < 1 ? { checking: { share, trusted: checked.trusted() } } : {}
}

function vectorOf(set: ConfirmedWeights | undefined): ValidatorStatus['weights'] {
  return set ? { block: set.block, entries: [...set.entries] } : null
}

function describeEngine(state: EngineState): ValidatorStatus['engines'][number] {
  const { model } = state
  return state.isReady
    ? { model, ready: true }
    : { model, ready: false, reason: state.reason, ...(state.next === undefined ? {} : { next: state.next }) }
}

/** Any user of this machine can read the status. */
function withoutCredentials(endpoint: string): string | null {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  return url && url.username === '' && url.password === '' && url.search === '' ? endpoint : null
}
