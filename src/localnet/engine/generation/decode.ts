import {
  type Distribution,
  type LanguageModel,
  processLogprobs,
  type SeenTokens,
  TokenTextStream,
} from '../language/index.js'
import type { Decoding, LogprobsMode } from './decoding.js'
import type { Finish, Job, PromptPosition, Step, TokenReport } from './job.js'
import { startPicking } from './picking.js'

const NO_TOKENS_SEEN: SeenTokens = { prompt: new Set(), output: new Map() }
const NO_TOKENS_BANNED: ReadonlySet<number> = new Set()

/** Logprobs of every prompt position, from the same model code that generates. */
export function scorePrompt(
  model: LanguageModel,
  prompt: readonly number[],
  job: Job,
  mode: LogprobsMode,
  count: number,
): PromptPosition[] {
  const context = model.start()
  const positions: PromptPosition[] = []
  for (const id of prompt) {
    if (positions.length === 0) positions.push(null)
    else {
      const distribution = context.next()
      const scores =
        mode === 'processed'
          ? processLogprobs(distribution, job.sampling, NO_TOKENS_SEEN, NO_TOKENS_BANNED)
          : undefined
      positions.push(reportTokens(distribution, scores, id, count))
    }
    context.push(id)
  }
  return positions
}

/** Generates token by token, at the consumer's pace. The last step carries `finish`. */
export function* decode(
  model: LanguageModel,
  prompt: readonly number[],
  job: Job,
  decoding: Decoding,
): Generator<Step, void, void> {
  const { tokenizer } = model
  const endOfTurn = tokenizer.special('<|eot_id|>')
  const endIds = new Set([endOfTurn, tokenizer.special('<|end_of_text|>')])
  const context = model.start()
  for (const id of prompt) context.push(id)
  const pick = startPicking(model, job, decoding)
  const text = new VisibleText(new TokenTextStream(tokenizer, job.skipSpecial), job)
  const output = new Map<number, number>()
  const seen: SeenTokens = { prompt: new Set(prompt), output }
  const bannedEarly = new Set([...endIds, ...job.stopTokenIds])

  for (let index = 1; index <= job.maxTokens; index++) {
    const banned = index <= job.minTokens ? bannedEarly : NO_TOKENS_BANNED
    const id = pick(context, seen, banned)
    const reported = context.next(decoding.reportedBy)
    const scores =
      decoding.mode === 'processed' ? processLogprobs(reported, job.sampling, seen, banned) : undefined
    context.push(id)
    output.set(id, (output.get(id) ?? 0) + 1)

    let finish: Finish | undefined
    if (endIds.has(id) && !job.ignoreEos) {
      finish = { reason: 'stop', stopReason: id === endOfTurn ? null : id }
    } else if (job.stopTokenIds.has(id)) finish = { reason: 'stop', stopReason: id }
    if (!finish || job.includeStop) {
      const stopString = text.push(id, index > job.minTokens)
      if (!finish && stopString !== undefined) finish = { reason: 'stop', stopReason: stopString }
    }
    if (!finish && index === job.maxTokens) finish = { reason: 'length', stopReason: null }

    const top = reportTokens(reported, scores, id, job.logprobs ?? 0)
    const [own = { id, logprob: 0, rank: 1 }] = top
    yield { ...own, top, text: text.take(finish !== undefined), ...(finish ? { finish } : {}) }
    if (finish) return
  }
}

/**
 * The token itself first, then the `count` most likely others in order.
 *
 * @param scores processed logprobs, when they are reported instead of the model's own
 */
function reportTokens(
  distribution: Distribution,
  scores: Float64Array | undefined,
  id: number,
  count: number,
): TokenReport[] {
  const describe = (one: number): TokenReport => ({
    id: one,
    logprob: scores ? (scores[one] ?? Number.NEGATIVE_INFINITY) : distribution.logprobOf(one),
    rank: scores ? rankIn(scores, one) : distribution.rankOf(one),
  })
  const own = describe(id)
  if (count === 0) return [own]
  const others = scores ? topOf(scores, count) : distribution.top(count)
  return [own, ...others.filter((other) => other !== id).map(describe)]
}

function rankIn(scores: Float64Array, id: number): number {
  const own = scores[id] ?? Number.NEGATIVE_INFINITY
  let rank = 1
  for (const score of scores) if (score > own) rank += 1
  return rank
}

function topOf(scores: Float64Array, count: number): number[] {
  return [...scores.keys()].sort((a, b) => compare(scores[b] ?? 0, scores[a] ?? 0) || a - b).slice(0, count)
}

const compare = (a: number, b: number): number => (a === b ? 0 : a - b)

/** The answer's text as sent: cut at stop strings, and withheld while it could be the start of one. */
class VisibleText {
  readonly #stream: TokenTextStream
  readonly #stop: readonly string[]
  readonly #includeStop: boolean
  readonly #withheld: number
  #text = ''
  #sent = 0

  constructor(stream: TokenTextStream, { stop, includeStop }: Job) {
    this.#stream = stream
    this.#stop = stop
    this.#includeStop = includeStop
    this.#withheld = includeStop ? 0 : Math.max(0, ...stop.map((one) => one.length - 1))
  }

  /** Adds a token. @returns the stop string it completes, if any. */
  push(id: number, mayStop: boolean): string | undefined {
    const added = this.#stream.push(id)
    this.#text += added
    if (!mayStop || added === '') return undefined
    for (const stop of this.#stop) {
      const from = Math.max(0, this.#text.length - added.length - stop.length + 1)
      const at = this.#text.indexOf(stop, from)
      if (at < 0) continue
      this.#text = this.#text.slice(0, this.#includeStop ? at + stop.length : at)
      return stop
    }
    return undefined
  }

  take(isLast: boolean): string {
    const end = isLast ? this.#text.length : Math.max(this.#sent, this.#text.length - this.#withheld)
    const taken = this.#text.slice(this.#sent, end)
    this.#sent = end
    return taken
  }
}
