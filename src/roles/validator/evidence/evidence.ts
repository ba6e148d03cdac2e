import { join } from 'node:path'
import type { ReferenceEngine } from '../../../engine/index.js'
import {
  type AnswerSource,
  alarmThreshold,
  type ComparedAnswer,
  EvidenceBook,
  honestBands,
  type NoiseLevels,
  type Observation,
  observe,
  STATISTICS,
  type Standing,
  type StandingLevel,
} from '../../../evidence/index.js'
import type { JudgedAnswer, Verdict } from '../../../verification/index.js'
import type { Topic } from '../../role.js'
import type { ReviewedAnswer } from '../rounds/index.js'
import { createSaver } from '../scores/index.js'
import type { ValidatorContext } from '../subnet/index.js'
import { AnswerRate, assumedAnswersPerMonth } from './answer-rate.js'
import { EvidenceChanges, type EvidenceRow } from './changes.js'
import type { IsBarred } from './counted-models.js'
import { openEvidenceFile, type StoredEvidence } from './evidence-file.js'
import { reviewEnd } from './judge-ends.js'
import { KeptAnswers } from './kept-answers.js'
import type { LevelsFor } from './levels.js'
import { reviewSeed } from './review-seed.js'
import { TemplateDates } from './template-dates.js'
import { WeighedLevels } from './weighed-levels.js'

/** What the answers of every miner show together: weighed, kept beside the scores, and turned into consequences. */
export interface Evidence {
  /** What one answer says; undefined when it cannot or must not be weighed. Changes nothing. */
  weigh(
    engine: ReferenceEngine,
    hotkey: string,
    compared: ComparedAnswer,
    judged: JudgedAnswer,
  ): Observation | undefined
  /** Adds an answer of an own round. @returns its verdict, or the failure that earlier answers make of it */
  review(answer: ReviewedAnswer): Verdict
  /** Weighs and adds an answer to a user's request that a hub reported. */
  addOrganic(engine: ReferenceEngine, hotkey: string, compared: ComparedAnswer, judged: JudgedAnswer): void
  readonly isBarred: IsBarred
  /** Whether evidence is enforced for the model and has neither accused nor suspected the miner. */
  isClean(hotkey: string, model: string): boolean
  /** What is known of a miner, by model; with a level, only where that is its level. */
  standings(hotkey: string, level?: StandingLevel): readonly PairStanding[]
  /** Decimal logarithm of the wealth at which evidence accuses. */
  readonly threshold: () => number
  /** Forgets the miners that left the subnet. */
  keepOnly(hotkeys: ReadonlySet<string>): void
  /** Never rejects and never hangs, like saving the scores. */
  save(): Promise<void>
}

export interface PairStanding {
  readonly model: string
  readonly isEnforced: boolean
  readonly standing: Standing
}

export interface EvidenceParts {
  readonly levelsFor: LevelsFor
  readonly events: { readonly evidence: Pick<Topic<EvidenceRow>, 'publish'> }
}

/** Path of the evidence within a neuron's state folder. */
export function evidencePath(stateDir: string): string {
  return join(stateDir, 'evidence.json')
}

/**
 * Loads the evidence on the miners of the subnet. The caller holds the hotkey lock, as for the scores.
 *
 * @throws TargonError EVIDENCE_FILE_UNREADABLE (fault usage)
 */
export async function openEvidence(context: ValidatorContext, parts: EvidenceParts): Promise<Evidence> {
  const { log, settings, stateDir, view } = context
  const path = evidencePath(stateDir)
  const file = openEvidenceFile(path, log)
  const stored = await file.load()
  const evidence = new OpenEvidence(context, parts, stored)
  evidence.keepOnly(new Set(view.metagraph.neurons.map(({ hotkey }) => hotkey)))
  let saved = 0
  const saveChanges = async () => {
    const { revision } = evidence
    if (revision === saved) return
    await file.save(evidence.toStored())
    saved = revision
  }
  const { save } = createSaver(
    context,
    'saving the evidence',
    async () => {
      await Promise.all([saveChanges(), evidence.written()])
    },
    {
      failed: (error) =>
        log.error({ event: 'evidence-save-failed', path, err: error }, 'could not save the evidence'),
      recovered: () => log.info({ event: 'evidence-saved-again', path }, 'saving the evidence works again'),
    },
  )
  log.info(
    {
      event: 'evidence-opened',
      mode: settings['evidence.mode'] ?? 'enforce once calibrated',
      falseAlarm: settings['evidence.false-alarm'],
      answersPerMonth: Math.round(evidence.answersPerMonth),
      threshold: evidence.threshold(),
      pairs: stored.book.pairs.length,
    },
    'weighing the answers of miners; evidence of 10^threshold accuses',
  )
  return Object.assign(evidence, { save })
}

interface Weighed {
  readonly compared: ComparedAnswer
  readonly judged: JudgedAnswer
  readonly levels: NoiseLevels
}

class OpenEvidence implements Omit<Evidence, 'save'> {
  readonly #context: ValidatorContext
  readonly #levelsFor: LevelsFor
  readonly #changes: EvidenceChanges
  readonly #dates: TemplateDates
  readonly #rate: AnswerRate
  readonly #weighedAt: WeighedLevels
  readonly #kept: KeptAnswers
  /** What own observations were made of, until they are recorded. */
  readonly #weighed = new WeakMap<Observation, Weighed>()
  #book: EvidenceBook
  #revision = 0

  constructor(context: ValidatorContext, { levelsFor, events }: EvidenceParts, stored: StoredEvidence) {
    this.#context = context
    this.#levelsFor = levelsFor
    this.#changes = new EvidenceChanges(context, events.evidence)
    this.#dates = new TemplateDates(context)
    const { stateDir, log, clock, settings } = context
    this.#kept = new KeptAnswers({ stateDir, log, clock, limit: settings['evidence.kept-answers'] })
    this.#rate = new AnswerRate(assumedAnswersPerMonth(settings), clock.monotonic())
    this.#weighedAt = new WeighedLevels(stored.levels)
    this.#book = EvidenceBook.from(stored.book, this.#rules())
    // Exported from the start: an alert sees no increase of a missing series.
    for (const statistic of STATISTICS) context.metrics.evidenceAlarms.inc({ statistic }, 0)
    this.#countPairs()
  }

  get answersPerMonth(): number {
    return this.#rate.perMonth
  }

  readonly threshold = () => Math.log10(this.#rules().threshold)

  readonly isBarred = (hotkey: string, model: string) =>
    this.#book.isBarred(hotkey, model) && this.#isEnforced(model)

  isClean(hotkey: string, model: string): boolean {
    return this.#isEnforced(model) && this.#book.standing(hotkey, model).level === 'clean'
  }

  readonly weigh = (
    engine: ReferenceEngine,
    hotkey: string,
    compared: ComparedAnswer,
    judged: JudgedAnswer,
  ) => {
    const { model } = judged.request
    if (this.#context.settings['evidence.mode'] === 'off') return undefined
    if (!this.#dates.areCertain(engine, judged.request)) return undefined
    const levels = this.#levels(model)
    const observation = observe(compared, levels, this.#book.dialectOf(hotkey, model))
    this.#weighed.set(observation, { compared, judged, levels })
    return observation
  }

  readonly review = (answer: ReviewedAnswer): Verdict => {
    const { hotkey, model, observation, at } = answer
    if (observation) this.#record(hotkey, model, observation, at, 'own')
    const endings = this.#book.endingsOf(hotkey, model)
    const verdict = reviewEnd(this.#book, answer)
    if (this.#book.endingsOf(hotkey, model) !== endings) this.#revision++
    if (verdict.kind !== 'verified') return verdict
    if (this.isBarred(hotkey, model)) {
      const { sentence } = this.#book.standing(hotkey, model)
      return { kind: 'failed', cause: 'EVIDENCE', detail: sentence }
    }
    if (this.#context.settings['evidence.seed'] !== 'require') return verdict
    return reviewSeed(this.#book.standing(hotkey, model), answer) ?? verdict
  }

  readonly addOrganic: Evidence['addOrganic'] = (engine, hotkey, compared, judged) => {
    const { settings, clock } = this.#context
    const organics = settings['evidence.organics']
    if (organics === 'off') return
    const observation = this.weigh(engine, hotkey, compared, judged)
    if (!observation) return
    // What users ask is kept only where the operator says so.
    if (!settings['evidence.keep-organics']) this.#weighed.delete(observation)
    const source = organics === 'count' ? 'own' : 'relayed'
    this.#record(hotkey, judged.request.model, observation, clock.now(), source)
  }

  standings(hotkey: string, level?: StandingLevel): PairStanding[] {
    return this.#book.modelsOf(hotkey, level).map((model) => ({
      model,
      isEnforced: this.#isEnforced(model),
      standing: this.#book.standing(hotkey, model),
    }))
  }

  keepOnly(hotkeys: ReadonlySet<string>): void {
    if (this.#book.keepOnly(hotkeys) > 0) this.#revision++
    const models = new Set([...this.#book.models(), ...this.#context.view.wanted])
    if (this.#weighedAt.keepOnly(models)) this.#revision++
    this.#changes.forget(hotkeys, this.#context.clock.now())
    this.#kept.keepOnly(hotkeys)
    this.#countPairs()
  }

  /** Resolves when the answers kept for replays are written. */
  written(): Promise<void> {
    return this.#kept.written()
  }

  /** Another number after every change of what is stored. */
  get revision(): number {
    return this.#revision
  }

  toStored(): StoredEvidence {
    return { book: this.#book.toData(), levels: this.#weighedAt.toStored() }
  }

  /** Without a calibration nothing is enforced unless the operator says so. */
  #isEnforced(model: string): boolean {
    const mode = this.#context.settings['evidence.mode']
    return mode === undefined ? this.#levelsFor(model).isCalibrated : mode === 'enforce'
  }

  #rules() {
    const { settings } = this.#context
    const threshold = alarmThreshold(settings['evidence.false-alarm'], this.#rate.perMonth)
    this.#context.metrics.evidenceThreshold.set(Math.log10(threshold))
    return { threshold, cleanAnswers: settings['evidence.clean-answers'] }
  }

  /** The levels in force. What was weighed when less noise was granted says too much and is forgotten. */
  #levels(model: string): NoiseLevels {
    const { suspicion, enforced } = this.#levelsFor(model)
    const levels = { suspicion, enforced }
    const change = this.#weighedAt.note(model, levels)
    if (change !== 'none') this.#revision++
    if (change !== 'grants more') return levels
    this.#forget(model)
    this.#context.log.info(
      { event: 'evidence-restarted', model, ...levels },
      'more noise is granted for this model now: its evidence starts again',
    )
    return levels
  }

  #forget(model: string): void {
    const { version, pairs } = this.#book.toData()
    const kept = pairs.map(({ bar, ...pair }) => {
      if (pair.model === model) return { ...pair, statistics: {} }
      return bar ? { ...pair, bar } : pair
    })
    this.#book = EvidenceBook.from({ version, pairs: kept }, this.#rules())
    this.#countPairs()
  }

  #record(hotkey: string, model: string, observation: Observation, at: number, source: AnswerSource): void {
    this.#revision++
    if (this.#rate.note(hotkey, this.#context.clock.monotonic())) this.#book.setRules(this.#rules())
    const weighed = this.#weighed.get(observation)
    const before = weighed && this.#book.pairData(hotkey, model)
    const change = this.#book.record(hotkey, model, observation, at, source)
    if (weighed && before) {
      const standing = this.#book.standing(hotkey, model)
      const kept = { ...weighed, at, source, rules: this.#rules(), before, observation, standing }
      this.#kept.add(hotkey, model, kept, change.alarm !== undefined)
    }
    const [threshold, isEnforced] = [this.threshold(), this.#isEnforced(model)]
    const bands = honestBands(this.#levelsFor(model).enforced)
    this.#changes.note({ book: this.#book, hotkey, model, at, change, threshold, isEnforced, bands })
    if (change.before !== change.after) this.#countPairs()
  }

  #countPairs(): void {
    this.#changes.count(this.#book.levels())
  }
}
