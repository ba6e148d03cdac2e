import type {
  EvidenceBook,
  EvidenceChange,
  honestBands,
  Standing,
  StandingLevel,
} from '../../../evidence/index.js'
import type { Topic } from '../../role.js'
import type { ValidatorContext } from '../subnet/index.js'

/** What the evidence said of a miner and model at a time: published at every change of its level, and once per hour. */
export interface EvidenceRow {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly hotkey: string
  readonly model: string
  readonly standing: Standing
  /** Between which values the estimates of honest servers lie. */
  readonly bands: ReturnType<typeof honestBands>
  /** Decimal logarithm of the wealth at which evidence accuses. */
  readonly threshold: number
  /** Whether a bar counts in the scores. */
  readonly isEnforced: boolean
}

const HOUR_MS = 3_600_000
const LEVELS: readonly StandingLevel[] = ['clean', 'suspected', 'barred']

interface Changed extends Omit<EvidenceRow, 'standing'> {
  readonly book: EvidenceBook
  readonly change: EvidenceChange
}

/** Logs, counts and publishes what answers change in the evidence. */
export class EvidenceChanges {
  readonly #context: Pick<ValidatorContext, 'log' | 'metrics' | 'view'>
  readonly #rows: Pick<Topic<EvidenceRow>, 'publish'>
  /** By hotkey and model. */
  readonly #publishedAt = new Map<string, number>()

  constructor(
    context: Pick<ValidatorContext, 'log' | 'metrics' | 'view'>,
    rows: Pick<Topic<EvidenceRow>, 'publish'>,
  ) {
    this.#context = context
    this.#rows = rows
  }

  note(changed: Changed): void {
    const { book, change, ...row } = changed
    const { hotkey, model, at } = row
    const key = `${hotkey} ${model}`
    const isNew = change.before !== change.after || change.alarm !== undefined || change.isRelapse === true
    if (isNew) this.#log(changed)
    if (!isNew && at - (this.#publishedAt.get(key) ?? Number.NEGATIVE_INFINITY) < HOUR_MS) return
    this.#publishedAt.set(key, at)
    this.#rows.publish({ ...row, standing: book.standing(hotkey, model) })
  }

  /** Forgets the miners that left, and times that are too old to delay the next row. */
  forget(hotkeys: ReadonlySet<string>, now: number): void {
    for (const [key, at] of this.#publishedAt)
      if (now - at >= HOUR_MS || !hotkeys.has(key.split(' ', 1)[0] ?? '')) this.#publishedAt.delete(key)
  }

  /** Sets the gauge of miners and models by level. */
  count(levels: Iterable<StandingLevel>): void {
    const counts = new Map(LEVELS.map((level) => [level, 0]))
    for (const level of levels) counts.set(level, (counts.get(level) ?? 0) + 1)
    for (const [standing, number] of counts) this.#context.metrics.evidencePairs.set({ standing }, number)
  }

  #log({ book, hotkey, model, change, isEnforced }: Changed): void {
    const { log, metrics, view } = this.#context
    const { sentence } = book.standing(hotkey, model)
    const facts = { uid: view.metagraph.find(hotkey)?.uid, hotkey, model, isEnforced, sentence }
    if (change.alarm) {
      const { statistic, wealth, answers, tokens } = change.alarm
      metrics.evidenceAlarms.inc({ statistic })
      log.warn(
        { event: 'evidence-alarm', ...facts, statistic, wealth, answers, tokens },
        'the answers of a miner, taken together, do not fit the model',
      )
    } else if (change.isRelapse) {
      log.warn(
        { event: 'evidence-relapse', ...facts },
        'a miner that evidence accused contradicts the model again',
      )
    } else if (change.before === 'barred') {
      log.info(
        { event: 'evidence-cleared', ...facts },
        'a miner that evidence accused has given enough answers that fit the model',
      )
    } else if (change.after === 'suspected') {
      log.info(
        { event: 'evidence-suspicion', ...facts },
        'the answers of a miner differ from the model by more than this validator’s own engine does; no score changes',
      )
    } else {
      log.info({ event: 'evidence-suspicion-ended', ...facts }, 'the answers of a miner fit the model again')
    }
  }
}
