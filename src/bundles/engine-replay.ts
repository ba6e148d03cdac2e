import type { ReferenceEngine } from '../engine/index.js'
import { type ComparedAnswer, EvidenceBook, observe, type Standing } from '../evidence/index.js'
import type { Clock } from '../kernel/index.js'
import { type RuleSet, type Verdict, verifyAnswer } from '../verification/index.js'
import type { KeptAnswer } from './kept-answer.js'
import { type OpenedAnswer, openAnswer } from './opened-answer.js'

/** What the answers of a bundle give on an engine of the reader, beside what they give on the reference of the bundle. */
export interface EngineReplay {
  readonly answers: number
  /** Those that could be compared with the engine. */
  readonly compared: number
  /** Why an answer could not be judged here, of the first such answer. */
  readonly obstacle: string | undefined
  /** Answers whose prompt has another number of tokens here than in the bundle. */
  readonly otherPrompts: number
  /** Mean of min(|difference|, 1) between both references, in nats, over the tokens of which either is not certain. */
  readonly difference: number
  /** What other hardware may differ by: the mean residual of the enforced level. */
  readonly allowed: number
  /** Whether both references are those of one model, as far as hardware lets tell. */
  readonly agrees: boolean
  readonly strict: readonly Verdict[]
  readonly targon4: readonly Verdict[]
  /** After these answers alone, without evidence from before: by the reference of the bundle, and by the engine. */
  readonly recorded: Standing
  readonly own: Standing
}

export interface EngineReplayDeps {
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Tokens above this log probability are certain: all references agree on them. 95 %. */
const CERTAIN = Math.log(0.95)
/** One token counts at most this many nats. */
const MOST_NATS = 1

/**
 * Computes the reference of every answer again on the reader's own engine, then verdict and evidence.
 *
 * @throws TargonError BUNDLE_INVALID (fault verification); the signal's reason when it aborts
 */
export async function replayOnEngine(
  hotkey: string,
  model: string,
  answers: readonly KeptAnswer[],
  engine: ReferenceEngine,
  deps: EngineReplayDeps,
): Promise<EngineReplay> {
  const [recorded, own] = [new AloneBook(hotkey, model), new AloneBook(hotkey, model)]
  const [strict, targon4]: [Verdict[], Verdict[]] = [[], []]
  const sums = { compared: 0, otherPrompts: 0, tokens: 0, nats: 0, allowed: 0 }
  for (const [index, kept] of answers.entries()) {
    const opened = openAnswer(hotkey, model, kept, index)
    const { verdict, compared } = await judge(opened, engine, 'strict', deps)
    strict.push(verdict)
    targon4.push((await judge(opened, engine, 'targon-4', deps)).verdict)
    recorded.add(kept, opened.compared)
    sums.allowed += kept.levels.enforced.residual / answers.length
    if (!compared) continue
    own.add(kept, compared)
    sums.compared++
    if (compared.promptTokens !== opened.compared.promptTokens) sums.otherPrompts++
    const { tokens, nats } = differenceOf(opened.compared, compared)
    sums.tokens += tokens
    sums.nats += nats
  }
  const difference = sums.nats / Math.max(1, sums.tokens)
  const unjudged = strict.find(({ kind }) => kind === 'inconclusive')
  return {
    ...{ answers: answers.length, compared: sums.compared, otherPrompts: sums.otherPrompts },
    obstacle: unjudged?.kind === 'inconclusive' ? unjudged.detail : undefined,
    ...{ difference, allowed: sums.allowed, strict, targon4 },
    agrees: sums.compared > 0 && sums.otherPrompts === 0 && difference <= sums.allowed,
    ...{ recorded: recorded.standing(), own: own.standing() },
  }
}

async function judge(
  { kept, request, answer }: OpenedAnswer,
  engine: ReferenceEngine,
  rules: RuleSet,
  { clock, signal }: EngineReplayDeps,
): Promise<{ readonly verdict: Verdict; readonly compared: ComparedAnswer | undefined }> {
  let compared: ComparedAnswer | undefined
  const verdict = await verifyAnswer({
    ...{ request, answer, engine, rules, signal },
    // The rules of 4.4.1 choose positions by the time: a replay chooses the same ones each time.
    clock: { ...clock, now: () => kept.at },
    onCompared: (one) => {
      compared = one
    },
  })
  signal.throwIfAborted()
  return { verdict, compared }
}

function differenceOf(a: ComparedAnswer, b: ComparedAnswer): { tokens: number; nats: number } {
  let [tokens, nats] = [0, 0]
  for (const [index, one] of a.reference.entries()) {
    const other = b.reference[index] ?? Number.NEGATIVE_INFINITY
    if (one > CERTAIN && other > CERTAIN) continue
    tokens++
    nats += Math.min(MOST_NATS, Math.abs(one - other))
  }
  return { tokens, nats }
}

/** The evidence of the answers of a bundle alone. */
class AloneBook {
  #book: EvidenceBook | undefined

  constructor(
    private readonly hotkey: string,
    private readonly model: string,
  ) {}

  add({ levels, rules, at, source }: KeptAnswer, compared: ComparedAnswer): void {
    this.#book ??= new EvidenceBook(rules)
    this.#book.setRules(rules)
    const observation = observe(compared, levels, this.#book.dialectOf(this.hotkey, this.model))
    this.#book.record(this.hotkey, this.model, observation, at, source)
  }

  standing(): Standing {
    const book = this.#book ?? new EvidenceBook({ threshold: 1, cleanAnswers: 1 })
    return book.standing(this.hotkey, this.model)
  }
}
