import { EvidenceBook, type EvidenceChange, observe, type Standing } from '../evidence/index.js'
import type { Clock } from '../kernel/index.js'
import { type Cause, type Verdict, verifyAnswer } from '../verification/index.js'
import { bundleError } from './bundle-error.js'
import type { KeptAnswer } from './kept-answer.js'
import { areClose } from './likeness.js'
import { type OpenedAnswer, openAnswer } from './opened-answer.js'
import { recordedEngine } from './recorded-engine.js'

/** What weighing the answers again gives. */
export interface Replay {
  readonly answers: number
  /** Answers that do not continue the one before: others were weighed between them, or the evidence started again. */
  readonly gaps: number
  /** Answers that a hub reported. */
  readonly relayed: number
  /** The standing after the last answer. */
  readonly standing: Standing
  /** By answer: alarms among them. */
  readonly alarms: readonly { readonly index: number; readonly alarm: NonNullable<EvidenceChange['alarm']> }[]
  /** The verdict on each answer alone, under `strict`. */
  readonly verdicts: readonly Verdict[]
}

/** Causes that only the tokenizer of an engine can tell. */
const NEED_TOKENIZER: ReadonlySet<Cause> = new Set(['BAD_TOKEN', 'TOKEN_TEXT_MISMATCH'])

/**
 * Judges every answer alone and weighs it again, from its tokens and log probabilities.
 *
 * @throws TargonError BUNDLE_INVALID, BUNDLE_REPLAY (fault verification) when an answer gives anything else than recorded; the
 * signal's reason when it aborts
 */
export async function replayAnswers(
  hotkey: string,
  model: string,
  answers: readonly KeptAnswer[],
  deps: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Replay> {
  const alarms: Replay['alarms'][number][] = []
  const verdicts: Verdict[] = []
  let standing: Standing | undefined
  let last: unknown
  let gaps = 0
  for (const [index, kept] of answers.entries()) {
    const opened = openAnswer(hotkey, model, kept, index)
    if (last !== undefined && !areClose(withoutEndings(last), withoutEndings(kept.before))) gaps++
    verdicts.push(await judgeAlone(opened, index, deps))
    const book = EvidenceBook.from(kept.before, kept.rules)
    const observation = observe(opened.compared, kept.levels, book.dialectOf(hotkey, model))
    if (!areClose(observation, kept.observation)) throw differs(index, 'what the answer says')
    const { alarm } = book.record(hotkey, model, observation, kept.at, kept.source)
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
  const relayed = answers.filter(({ source }) => source === 'relayed').length
  return { answers: answers.length, gaps, relayed, standing, alarms, verdicts }
}

async function judgeAlone(
  { kept, request, compared, words, answer }: OpenedAnswer,
  index: number,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Verdict> {
  const { judged } = kept
  const engine = recordedEngine(request.model, judged, words, compared)
  const verdict = await verifyAnswer({ request, answer, engine, rules: 'strict', clock, signal })
  signal.throwIfAborted()
  if (judged.verdict.kind === 'failed' && NEED_TOKENIZER.has(judged.verdict.cause)) return judged.verdict
  if (outcomeOf(verdict) !== outcomeOf(judged.verdict)) throw differs(index, 'the verdict on it alone')
  return verdict
}

/** `verified`, or the cause of a failure. */
export function outcomeOf(verdict: Verdict | KeptAnswer['judged']['verdict']): string {
  return verdict.kind === 'failed' ? verdict.cause : verdict.kind
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
