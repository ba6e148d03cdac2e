import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { type Clock, createDeferred, type Log, messageOf, withScopedSignal } from '../kernel/index.js'
import { explainMismatch } from './agreement.js'
import { engineError } from './engine-error.js'
import type { HubSource } from './hub-files.js'
import { type FileFacts, readModelFiles } from './model-files.js'
import { Replica } from './replica.js'
import { ReplicaPool } from './replica-pool.js'
import { parseScoring, scoringBody } from './scoring-call.js'
import type { ModelFacts, ReferenceEngine } from './types.js'

export interface EngineOptions extends HubSource {
  readonly model: string
  /** Base addresses, one per replica. */
  readonly urls: readonly string[]
  readonly apiKey?: string | undefined
  readonly clock: Clock
  readonly log: Log
  /** Deadline of a scoring call; 120 s unless given. */
  readonly scoringTimeoutMs?: number
}

export interface ConnectedEngine extends ReferenceEngine {
  /** Resolves once a replica is ready; rejects when the signal aborts. */
  whenReady(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

const TEXT_TIMEOUT_MS = 15_000
const SCORING_TIMEOUT_MS = 120_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 15_000

const tokensSchema = z.object({ tokens: z.array(z.number().int().min(0)) })
const promptSchema = z.object({ prompt: z.string() })
const chatSchema = z.object({ choices: z.tuple([z.object({ message: z.object({ content: z.string() }) })]) })
const completionSchema = z.object({ choices: z.tuple([z.object({ text: z.string() })]) })

/** Returns at once; learns about the model and its servers in the background and keeps trying until it knows. */
export function connectEngine(options: EngineOptions): ConnectedEngine {
  const { model, clock, scoringTimeoutMs = SCORING_TIMEOUT_MS } = options
  const log = options.log.child({ module: 'engine', model })
  const closing = new AbortController()
  const all = options.urls.map((url) => new Replica(url, options.apiKey, clock))
  const ready = createDeferred<void>()
  // Nobody may be waiting when the engine is closed before it was ready.
  ready.promise.catch(() => undefined)
  let files: FileFacts | undefined
  let facts: ModelFacts | undefined
  let unreadyReason: string | undefined = `The engine of ${model} has not answered yet.`

  /** A server that is alone says what the engine is, also when it was replaced; beside others it must be like them. */
  const learn = async (replica: Replica) => {
    if (!files) throw engineError('ENGINE_UNAVAILABLE', `The files of ${model} have not been read yet.`)
    const probed = await replica.probe(model, files, { timeoutMs: scoringTimeoutMs, signal: closing.signal })
    const hasOthers = all.some((other) => other !== replica && other.isTrusted)
    const mismatch = hasOthers && facts ? explainMismatch(probed.facts, facts) : undefined
    if (mismatch !== undefined) {
      replica.quarantine()
      throw engineError(
        'ENGINE_UNAVAILABLE',
        `${replica.url} is kept apart from the other servers of ${model}: ${mismatch}.`,
      )
    }
    const before = replica.probed
    replica.admit(probed)
    if (!hasOthers && !isDeepStrictEqual(facts, probed.facts)) facts = probed.facts
    unreadyReason = undefined
    if (!isDeepStrictEqual(before, probed)) {
      const said = { url: replica.url, version: probed.version, ...probed.facts }
      if (before)
        log.info({ event: 'engine-replaced', ...said }, 'another engine answers at this address now')
      else log.info({ event: 'engine-ready', ...said }, 'reference engine is ready')
    }
    ready.resolve()
  }
  const replicas = new ReplicaPool(model, all, clock, learn)

  const keepTrying = async (what: string, attempt: () => Promise<void>) => {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      try {
        return await attempt()
      } catch (error) {
        if (closing.signal.aborted) return
        if (facts === undefined) unreadyReason = messageOf(error)
        log.warn({ event: 'engine-not-ready', what, err: error }, 'reference engine is not ready')
      }
      try {
        await clock.sleep(pauseMs, closing.signal)
      } catch {
        return
      }
    }
  }

  const tend = async (replica: Replica) => {
    while (!closing.signal.aborted) {
      await keepTrying(replica.url, () => replica.learn(learn))
      await replica.whenApart
    }
  }

  const learning = keepTrying('model files', async () => {
    files = await readModelFiles(options, model, closing.signal)
    for (const replica of all) void tend(replica)
  })

  const knownFacts = () => {
    if (!facts)
      throw engineError('ENGINE_UNAVAILABLE', unreadyReason ?? `The engine of ${model} is not ready.`)
    return facts
  }

  const ask = async <T>(
    path: string,
    body: Record<string, unknown>,
    schema: z.ZodType<T>,
    signal: AbortSignal,
  ): Promise<T> =>
    withScopedSignal([signal, closing.signal], (own) =>
      replicas.call(own, async ({ server }) => {
        const answer = await server.post(path, { model, ...body }, { timeoutMs: TEXT_TIMEOUT_MS, signal })
        const parsed = schema.safeParse(answer)
        if (parsed.success) return parsed.data
        throw engineError('ENGINE_ANSWER', `${server.url}${path} answers something else than vLLM would.`)
      }),
    )

  return {
    model,
    get facts() {
      return facts
    },
    get unreadyReason() {
      return unreadyReason ?? replicas.unavailableReason()
    },
    tokenizeChat: async (messages, signal) =>
      (
        await ask(
          '/tokenize',
          { messages, add_generation_prompt: true, add_special_tokens: false },
          tokensSchema,
          signal,
        )
      ).tokens,
    tokenizeText: async (prompt, signal, { addSpecialTokens = true } = {}) =>
      (await ask('/tokenize', { prompt, add_special_tokens: addSpecialTokens }, tokensSchema, signal)).tokens,
    detokenize: async (tokens, signal) =>
      tokens.length === 0 ? '' : (await ask('/detokenize', { tokens }, promptSchema, signal)).prompt,
    score: async (request, signal) => {
      knownFacts()
      return await withScopedSignal([signal, closing.signal], (own) =>
        replicas.call(own, async ({ server }) => {
          // Read here: the server may have been asked anew for this very call.
          const { dialect, maxLogprobs } = knownFacts()
          const bounded = { ...request, topK: Math.min(request.topK, maxLogprobs) }
          const body = scoringBody(model, bounded, dialect)
          const answer = await server.post('/v1/completions', body, { timeoutMs: scoringTimeoutMs, signal })
          return parseScoring(answer, bounded)
        }),
      )
    },
    generate: async ({ messages, maxTokens, temperature }, signal) => {
      const sampling = { max_tokens: maxTokens, temperature }
      if (knownFacts().endpoints.includes('chat')) {
        const body = { messages, ...sampling }
        return (await ask('/v1/chat/completions', body, chatSchema, signal)).choices[0].message.content
      }
      const prompt = messages.map(({ content }) => content).join('\n\n')
      return (await ask('/v1/completions', { prompt, ...sampling }, completionSchema, signal)).choices[0].text
    },
    whenReady: async (signal) => {
      signal.throwIfAborted()
      await Promise.race([
        ready.promise,
        new Promise<never>((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        }),
      ])
    },
    close: async () => {
      closing.abort()
      ready.reject(engineError('ENGINE_UNAVAILABLE', `The engine of ${model} was closed.`))
      await learning
      await Promise.all(all.map((replica) => replica.close()))
    },
  }
}
