import { insertsDate, type ModelFacts, type ReferenceEngine } from '../../../engine/index.js'
import type { InferenceRequest } from '../../../inference/index.js'
import { type Clock, type Log, withDeadline } from '../../../kernel/index.js'

const PROBE_TIMEOUT_MS = 30_000
const RETRY_MS = 60_000
/** An answer may have been asked for this long ago. */
const ANSWER_MS = 600_000
/** Hours of the day in UTC in which it is the same day from UTC-8 to UTC+9, where nearly all servers run. */
const SAFE_HOURS = { from: 8, to: 15 }

type Probed = Pick<ReferenceEngine, 'model' | 'facts' | 'tokenizeChat' | 'detokenize'>

/**
 * Tells answers whose prompt may differ by a date. The chat templates of Llama 3.2 and others write the server's own date
 * into every prompt (`strftime_now`), whatever the request says; a request cannot set it, since old servers and request policies
 * refuse `chat_template_kwargs`. So a server in another time zone answers another prompt for some hours a day, which would
 * look like noise. Answers to chats of such a model are weighed from 8 to 15 h UTC only, answers to completions always.
 */
export class TemplateDates {
  readonly #known = new WeakMap<ModelFacts, boolean>()
  readonly #probedAt = new WeakMap<ModelFacts, number>()
  readonly #clock: Clock
  readonly #log: Log
  readonly #signal: AbortSignal

  constructor({
    clock,
    log,
    signal,
  }: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal }) {
    this.#clock = clock
    this.#log = log
    this.#signal = signal
  }

  /** Whether miner and engine saw the same prompt as far as dates go. False for chats until the engine's template is known. */
  areCertain(engine: Probed, request: Pick<InferenceRequest, 'endpoint'>): boolean {
    const { facts } = engine
    if (request.endpoint === 'completion') return true
    if (!facts) return false
    const inserts = this.#known.get(facts)
    if (inserts === undefined) this.#probe(engine, facts)
    return inserts === false || (inserts === true && this.#isSafeHour())
  }

  #isSafeHour(): boolean {
    const now = this.#clock.now()
    return [now - ANSWER_MS, now].every((at) => {
      const hour = new Date(at).getUTCHours()
      return hour >= SAFE_HOURS.from && hour < SAFE_HOURS.to
    })
  }

  #probe(engine: Probed, facts: ModelFacts): void {
    const now = this.#clock.monotonic()
    const last = this.#probedAt.get(facts)
    if (last !== undefined && now - last < RETRY_MS) return
    this.#probedAt.set(facts, now)
    const read = (signal: AbortSignal) => insertsDate(engine, this.#clock.now(), signal)
    withDeadline(this.#clock, 'reading the chat template', PROBE_TIMEOUT_MS, this.#signal, read).then(
      (inserts) => {
        this.#known.set(facts, inserts)
        if (inserts)
          this.#log.info(
            { event: 'evidence-template-date', model: engine.model },
            'the chat template of this model inserts the date: evidence weighs its chats from 8 to 15 h UTC only',
          )
      },
      () => {},
    )
  }
}
