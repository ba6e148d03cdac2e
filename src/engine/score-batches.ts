import { allowManyListeners } from '../kernel/index.js'
import { engineError, isEngineError } from './engine-error.js'
import type { Reference, ScoreRequest, ScoringWork } from './types.js'

/** Longer answers gain nothing from company: one of them alone keeps a graphics card busy. */
const SHORT_TOKENS = 512
/** What vLLM computes in one step by default on small cards; a longer batch takes several steps, like several calls. */
const BATCH_TOKENS = 2048
const BATCH_ANSWERS = 16
/** Answers of a failed call that are scored alone although the engine fails them too: after these it is down. */
const MOST_DOWN = 2

export interface BatchParts {
  /** Calls under way at once; further answers wait, and those that wait share calls. */
  readonly maxCalls: number
  /** Answers with the same key may share a call; undefined: the engine takes one answer per call. */
  readonly keyOf: (request: ScoreRequest) => string | undefined
  /** One call. @returns a reference per request, in their order */
  readonly send: (requests: readonly ScoreRequest[], signal: AbortSignal) => Promise<readonly Reference[]>
}

interface Waiting {
  readonly request: ScoreRequest
  readonly signal: AbortSignal
  readonly resolve: (reference: Reference) => void
  readonly reject: (error: unknown) => void
}

/**
 * Lets short answers share scoring calls. No answer waits for company: a call starts as soon as there is room for one, with
 * the answers that had to wait until then.
 */
export class ScoreBatches {
  readonly #parts: BatchParts
  #waiting: Waiting[] = []
  #running = 0
  #calls = 0
  #answers = 0
  #tokens = 0

  constructor(parts: BatchParts) {
    this.#parts = parts
  }

  get work(): ScoringWork {
    return { calls: this.#calls, answers: this.#answers, tokens: this.#tokens }
  }

  /** Rejects with the abort reason when `signal` aborts first, and otherwise as `send` does. */
  score(request: ScoreRequest, signal: AbortSignal): Promise<Reference> {
    signal.throwIfAborted()
    return new Promise<Reference>((resolve, reject) => {
      const leave = () => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting)
        reject(signal.reason)
      }
      const settle = <T>(how: (value: T) => void) => {
        return (value: T) => {
          signal.removeEventListener('abort', leave)
          how(value)
        }
      }
      const waiting = { request, signal, resolve: settle(resolve), reject: settle(reject) }
      allowManyListeners(signal)
      signal.addEventListener('abort', leave, { once: true })
      this.#waiting.push(waiting)
      this.#start()
    })
  }

  #start(): void {
    while (this.#running < this.#parts.maxCalls) {
      const batch = this.#take()
      if (batch.length === 0) return
      this.#running++
      void this.#run(batch).finally(() => {
        this.#running--
        this.#start()
      })
    }
  }

  /** The answer that waits longest, and others that may share its call. */
  #take(): Waiting[] {
    const [first, ...others] = this.#waiting
    if (!first) return []
    const key = lengthOf(first) <= SHORT_TOKENS ? this.#parts.keyOf(first.request) : undefined
    const batch = [first]
    let tokens = lengthOf(first)
    const left: Waiting[] = []
    for (const one of others) {
      const fits =
        key !== undefined &&
        batch.length < BATCH_ANSWERS &&
        lengthOf(one) <= SHORT_TOKENS &&
        tokens + lengthOf(one) <= BATCH_TOKENS &&
        this.#parts.keyOf(one.request) === key
      if (fits) {
        batch.push(one)
        tokens += lengthOf(one)
      } else left.push(one)
    }
    this.#waiting = left
    return batch
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    try {
      const references = await this.#send(batch)
      for (const [index, { resolve, reject }] of batch.entries()) {
        const reference = references[index]
        if (reference) resolve(reference)
        else reject(new Error('the engine scored fewer answers than it was sent'))
      }
    } catch (error) {
      if (batch.length > 1 && mayBeAboutOne(error)) await this.#runAlone(batch)
      else for (const { reject } of batch) reject(error)
    }
  }

  /** One answer may be the reason: what a miner sent must not decide about the answers of others. */
  async #runAlone(batch: readonly Waiting[]): Promise<void> {
    let down = 0
    for (const one of batch) {
      const reject = (error: unknown) => {
        down = isEngineError(error, 'ENGINE_UNAVAILABLE') ? down + 1 : 0
        one.reject(error)
      }
      const resolve = (reference: Reference) => {
        down = 0
        one.resolve(reference)
      }
      if (down < MOST_DOWN) await this.#run([{ ...one, resolve, reject }])
      else one.reject(engineError('ENGINE_UNAVAILABLE', 'The engine failed several calls in a row.'))
    }
  }

  async #send(batch: readonly Waiting[]): Promise<readonly Reference[]> {
    const present = batch.filter(({ signal }) => !signal.aborted)
    if (present.length === 0) throw batch[0]?.signal.reason
    this.#calls++
    this.#answers += batch.length
    for (const one of batch) this.#tokens += lengthOf(one)
    const abort = new AbortController()
    const stopWhenAllLeft = () => {
      if (batch.every(({ signal }) => signal.aborted)) abort.abort(batch[0]?.signal.reason)
    }
    for (const { signal } of present) signal.addEventListener('abort', stopWhenAllLeft)
    try {
      return await this.#parts.send(
        batch.map(({ request }) => request),
        abort.signal,
      )
    } finally {
      for (const { signal } of present) signal.removeEventListener('abort', stopWhenAllLeft)
    }
  }
}

/** A 5xx may come from one answer, for example from a value that the server cannot write as JSON. */
function mayBeAboutOne(error: unknown): boolean {
  if (isEngineError(error, 'ENGINE_REFUSED') || isEngineError(error, 'ENGINE_ANSWER')) return true
  return isEngineError(error, 'ENGINE_UNAVAILABLE') && Number(error.facts.status) >= 500
}

function lengthOf({ request }: Waiting): number {
  return request.input.length + request.output.length
}
