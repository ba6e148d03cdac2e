import { EvidenceBook, type EvidenceChange, observe, type Standing } from '../evidence/index.js'
import { bundleError } from './bundle-error.js'
import { unpackAnswer } from './columns.js'
import type { KeptAnswer } from './kept-answer.js'

/** What weighing the answers again gives. */
export interface Replay {
  readonly answers: number
  /** Answers that do not continue the one before: others were weighed between them, or the evidence started again. */
  readonly gaps: number
  /** The standing after the last answer. */
  readonly standing: Standing
  /** By answer: alarms among them. */
  readonly alarms: readonly { readonly index: number; readonly alarm: NonNullable<EvidenceChange['alarm']> }[]
}

/** Logarithms of other builds of the same arithmetic differ by less. */
const TOLERANCE = 1e-3

/**
 * Weighs every answer again, from its tokens and log probabilities.
 *
 * @throws TargonError BUNDLE_INVALID, BUNDLE_REPLAY (fault verification) when an answer gives anything else than recorded
 */
export function replayAnswers(hotkey: string, model: string, answers: readonly KeptAnswer[]): Replay {
  const alarms: Replay['alarms'][number][] = []
  let standing: Standing | undefined
  let last: unknown
  let gaps = 0
  for (const [index, kept] of answers.entries()) {
    const compared = unpackAnswer(kept.answer)
    const isForeign = kept.before.pairs.some((pair) => pair.hotkey !== hotkey || pair.model !== model)
    if (!compared || isForeign || kept.before.pairs.length > 1 || kept.request.model !== model)
      throw bundleError(
        'BUNDLE_INVALID',
        `Answer ${index + 1} of the bundle is malformed.`,
        'Ask for the file again.',
      )
    if (last !== undefined && !areClose(withoutEndings(last), withoutEndings(kept.before))) gaps++
    const book = EvidenceBook.from(kept.before, kept.rules)
    const observation = observe(compared, kept.levels, book.dialectOf(hotkey, model))
    if (!areClose(observation, kept.observation)) throw differs(index, 'what the answer says')
    const { alarm } = book.record(hotkey, model, observation, kept.at)
    if (alarm) alarms.push({ index, alarm })
    standing = book.standing(hotkey, model)
    const { level, suspicion, enforced } = standing
    if (!areClose({ level, suspicion, enforced }, { ...kept.after, sentence: undefined }))
      throw differs(index, 'the standing after it')
    last = book.toData()
  }
  if (!standing)
    throw bundleError(
      'BUNDLE_INVALID',
      'The bundle has no answer.',
      'Export it again once answers were weighed.',
    )
  return { answers: answers.length, gaps, standing, alarms }
}

function differs(index: number, what: string) {
  return bundleError(
    'BUNDLE_REPLAY',
    `Weighing answer ${index + 1} again gives another result than recorded: ${what} differs.`,
    'Compare the version of this program with that of the bundle; with the same version the record is wrong.',
  )
}

/** Odds of early ends are kept beside the evidence and have no part in it. */
function withoutEndings(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data, (key, value: unknown) => (key === 'endings' ? undefined : value)))
}

/** Equal, but for the last digits of numbers; undefined members count as absent. */
function areClose(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number')
    return Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a) * 1e-3)
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  const [left, right] = [new Map(entriesOf(a)), new Map(entriesOf(b))]
  return (
    left.size === right.size &&
    [...left].every(([key, value]) => right.has(key) && areClose(value, right.get(key)))
  )
}

function entriesOf(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, one]) => one !== undefined)
}
