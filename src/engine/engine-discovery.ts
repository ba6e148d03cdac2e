import { isDeepStrictEqual } from 'node:util'
import { type Clock, createDeferred, type Log, messageOf } from '../kernel/index.js'
import { engineError } from './engine-error.js'
import type { HubSource } from './hub-files.js'
import { type FileFacts, readModelFiles } from './model-files.js'
import type { Replica } from './replica.js'
import type { ModelFacts } from './types.js'

export interface DiscoveryOptions extends HubSource {
  readonly model: string
  readonly clock: Clock
  readonly log: Log
  readonly scoringTimeoutMs: number
}

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 15_000

/** Reads the model's files and identifies its servers in the background, and retries until it succeeds. */
export class EngineDiscovery {
  readonly #ready = createDeferred<void>()
  readonly #log: Log
  readonly #finished: Promise<void>
  #files: FileFacts | undefined
  #facts: ModelFacts | undefined
  #unreadyReason: string | undefined

  constructor(
    private readonly options: DiscoveryOptions,
    private readonly replicas: readonly Replica[],
    private readonly closing: AbortSignal,
  ) {
    const { model } = options
    this.#log = options.log.child({ module: 'engine', model })
    this.#unreadyReason = `The engine of ${model} has not responded yet.`
    // An engine may be closed before it is ready, without a caller of whenReady.
    this.#ready.promise.catch(() => undefined)
    this.#finished = this.#retry('model files', async () => {
      this.#files = await readModelFiles(options, model, closing)
      for (const replica of replicas) void this.#maintain(replica)
    })
  }

  /** Resolves once a server is admitted; rejects when the engine is closed first. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  get facts(): ModelFacts | undefined {
    return this.#facts
  }

  /** @throws TargonError ENGINE_UNAVAILABLE until a server was admitted */
  requireFacts(): ModelFacts {
    const { model } = this.options
    if (this.#facts) return this.#facts
    throw engineError('ENGINE_UNAVAILABLE', this.#unreadyReason ?? `The engine of ${model} is not ready.`)
  }

  /** Why no server was admitted yet. */
  get unreadyReason(): string | undefined {
    return this.#unreadyReason
  }

  /**
   * Probes a server and admits it. A server on its own defines the facts of the engine, also after it was replaced; one of
   * several must match the others, or it is quarantined.
   *
   * @throws TargonError ENGINE_UNAVAILABLE, and whatever the probe throws
   */
  readonly identify = async (replica: Replica): Promise<void> => {
    const { model, scoringTimeoutMs } = this.options
    if (!this.#files) throw engineError('ENGINE_UNAVAILABLE', `The files of ${model} have not been read yet.`)
    const bounds = { timeoutMs: scoringTimeoutMs, signal: this.closing }
    const probed = await replica.probe(model, this.#files, bounds)
    const hasOthers = this.replicas.some((other) => other !== replica && other.isTrusted)
    const mismatch = hasOthers && this.#facts ? explainMismatch(probed.facts, this.#facts) : undefined
    if (mismatch !== undefined) {
      replica.quarantine()
      const message = `${replica.url} was quarantined because it differs from the other servers of ${model}: ${mismatch}.`
      throw engineError('ENGINE_UNAVAILABLE', message)
    }
    const before = replica.probed
    replica.admit(probed)
    if (!hasOthers && !isDeepStrictEqual(this.#facts, probed.facts)) this.#facts = probed.facts
    this.#unreadyReason = undefined
    if (!isDeepStrictEqual(before, probed)) {
      const fields = { url: replica.url, version: probed.version, ...probed.facts }
      if (before)
        this.#log.info({ event: 'engine-replaced', ...fields }, 'another engine now runs at this address')
      else this.#log.info({ event: 'engine-ready', ...fields }, 'reference engine is ready')
    }
    this.#ready.resolve()
  }

  /** Call it after `closing` aborted. */
  async close(): Promise<void> {
    this.#ready.reject(engineError('ENGINE_UNAVAILABLE', `The engine of ${this.options.model} was closed.`))
    await this.#finished
  }

  /** Identifies a server, and again whenever it was quarantined. */
  async #maintain(replica: Replica): Promise<void> {
    while (!this.closing.aborted) {
      await this.#retry(replica.url, () => replica.identify(this.identify))
      await replica.whenQuarantined
    }
  }

  async #retry(what: string, attempt: () => Promise<void>): Promise<void> {
    const { clock } = this.options
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      try {
        return await attempt()
      } catch (error) {
        if (this.closing.aborted) return
        if (this.#facts === undefined) this.#unreadyReason = messageOf(error)
        this.#log.warn(
          { event: 'engine-not-ready', what, err: error },
          'reference engine is not ready; retrying',
        )
      }
      try {
        await clock.sleep(pauseMs, this.closing)
      } catch {
        return
      }
    }
  }
}

/**
 * Why a server may not serve together with the others of its model: verdicts must be reached with the same facts whichever
 * replica scored. Smaller limits would reject requests the others accept; larger ones do no harm.
 *
 * @returns undefined when the server matches
 */
function explainMismatch(facts: ModelFacts, others: ModelFacts): string | undefined {
  const logprobs = ({ scaledLogprobs }: ModelFacts) => (scaledLogprobs ? 'temperature-scaled' : 'raw')
  if (facts.dialect !== others.dialect)
    return `it speaks the dialect ${facts.dialect}, the others ${others.dialect}`
  if (facts.scaledLogprobs !== others.scaledLogprobs)
    return `its logprobs are ${logprobs(facts)}, those of the others ${logprobs(others)}`
  if (facts.endOfTurnId !== others.endOfTurnId || facts.endpoints.length !== others.endpoints.length)
    return 'its tokenizer or chat template is different'
  if (facts.maxLogprobs < others.maxLogprobs)
    return `it returns at most ${facts.maxLogprobs} logprobs, the others ${others.maxLogprobs}`
  const [length, required] = [facts.maxModelLength, others.maxModelLength]
  if (length !== undefined && required !== undefined && length < required)
    return `it accepts at most ${length} tokens, the others ${required}`
  return undefined
}
